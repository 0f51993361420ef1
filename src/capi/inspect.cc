// The functions of ergo.h that look inside a model.
#include "generate/inspect.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "capi/model_state.h"
#include "capi/tokens.h"
#include "capi/versioned.h"

namespace ergo::capi {
namespace {

/// More than any layers, heads or positions.
constexpr std::size_t kMostNumbers = std::size_t{1} << 31;

struct Found {
  runtime::Inspection seen;
  std::vector<float> entropies;
  std::vector<float> next_logprobs;
  std::vector<ergo_alternative> alternatives;
  ergo_inspected inspected = {};
};

Outcome<std::vector<std::size_t>> NumbersOf(const std::uint64_t* numbers, std::size_t count,
                                            const char* argument) {
  auto given = ArrayOf(numbers, count, kMostNumbers, argument);
  if (!given) return Refused(given);
  std::vector<std::size_t> copy;
  for (const std::uint64_t number : *given) {
    copy.push_back(static_cast<std::size_t>(
        std::min<std::uint64_t>(number, std::numeric_limits<std::size_t>::max())));
  }
  return copy;
}

Outcome<runtime::InspectRequest> RequestOf(const ergo_inspect_options& given,
                                           std::span<const std::int32_t> tokens) {
  runtime::InspectRequest request;
  request.tokens.assign(tokens.begin(), tokens.end());
  auto positions = NumbersOf(given.positions, given.position_count, "positions");
  if (!positions) return Refused(positions);
  request.positions = std::move(*positions);
  auto states = NumbersOf(given.hidden_layers, given.hidden_layer_count, "hidden_layers");
  if (!states) return Refused(states);
  request.state_layers = std::move(*states);
  auto layers = NumbersOf(given.attention_layers, given.attention_layer_count, "attention_layers");
  if (!layers) return Refused(layers);
  request.attention_layers = std::move(*layers);
  auto heads = NumbersOf(given.heads, given.head_count, "heads");
  if (!heads) return Refused(heads);
  request.heads = std::move(*heads);
  request.alternatives = given.alternatives;
  if (given.expectations != 0 || given.alternatives > 0) {
    request.outlooks = request.positions;
    for (std::size_t i = 0; request.positions.empty() && i < tokens.size(); ++i) {
      request.outlooks.push_back(i);
    }
  }
  if (given.most_bytes != 0) {
    request.most_bytes = static_cast<std::size_t>(
        std::min<std::uint64_t>(given.most_bytes, std::numeric_limits<std::size_t>::max()));
  }
  return request;
}

void SetExpectations(Found* found) {
  const std::vector<runtime::Outlook>& outlooks = found->seen.outlooks;
  std::size_t most = 0;
  for (const runtime::Outlook& outlook : outlooks) most = std::max(most, outlook.top.size());
  for (const runtime::Outlook& outlook : outlooks) {
    constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
    found->entropies.push_back(outlook.entropy);
    found->next_logprobs.push_back(outlook.next_logprob.value_or(kNone));
    for (std::size_t i = 0; i < most; ++i) {
      const bool known = i < outlook.top.size();
      found->alternatives.push_back(
          {known ? outlook.top[i].token : -1, known ? outlook.top[i].logprob : kNone});
    }
  }
  found->inspected.alternative_count = most;
}

template <typename T>
const T* DataOf(const std::vector<T>& values) {
  return values.empty() ? nullptr : values.data();
}

Outcome<std::unique_ptr<Found>> Inspect(const ergo_model* model,
                                        std::span<const std::int32_t> tokens,
                                        const ergo_inspect_options* given) {
  if (tokens.empty()) return Invalid("are none", "tokens", "give at least one");
  if (auto known = KnownTokens(*model->state, tokens, "tokens"); !known) return Refused(known);
  auto options = ReadStruct(given, ergo_inspect_options{}, "options");
  if (!options) return Refused(options);
  auto request = RequestOf(*options, tokens);
  if (!request) return Refused(request);
  auto seen = generate::Inspect(model->state->model(), *request);
  if (!seen) return Fail(std::move(seen));
  auto found = std::make_unique<Found>();
  found->seen = std::move(*seen);
  SetExpectations(found.get());
  ergo_inspected& inspected = found->inspected;
  inspected.tokens = tokens.size();
  inspected.positions = found->seen.positions.size();
  inspected.hidden_layers = request->state_layers.size();
  inspected.attention_layers = request->attention_layers.size();
  inspected.heads = found->seen.heads.size();
  inspected.width = found->seen.width;
  inspected.hidden = DataOf(found->seen.states);
  inspected.attention = DataOf(found->seen.attention);
  inspected.entropies = DataOf(found->entropies);
  inspected.next_logprobs = DataOf(found->next_logprobs);
  inspected.alternatives = DataOf(found->alternatives);
  return found;
}

}  // namespace
}  // namespace ergo::capi

struct ergo_inspection {
  std::unique_ptr<ergo::capi::Found> found;
};

namespace capi = ergo::capi;
using ergo::capi::Outcome;

extern "C" {

void ergo_inspect_options_init(ergo_inspect_options* options, size_t size) {
  capi::InitStruct(ergo_inspect_options{}, options, size);
}

ergo_inspection* ergo_inspect(const ergo_model* model, const int32_t* tokens, size_t count,
                              const ergo_inspect_options* options, ergo_error** error) {
  return capi::GuardedPointer<ergo_inspection>(error, [&]() -> Outcome<ergo_inspection*> {
    if (auto given = capi::NotNull(model, "model"); !given) return Refused(given);
    auto ids = capi::ArrayOf(tokens, count, capi::kMostTokens, "tokens");
    if (!ids) return Refused(ids);
    auto found = capi::Inspect(model, *ids, options);
    if (!found) return Refused(found);
    return new ergo_inspection{std::move(*found)};
  });
}

ergo_status ergo_inspection_get(const ergo_inspection* inspection, ergo_inspected* inspected,
                                ergo_error** error) {
  return capi::Guarded(error, [&]() -> Outcome<ergo_status> {
    if (auto given = capi::NotNull(inspection, "inspection"); !given) return Refused(given);
    if (auto given = capi::NotNull(inspected, "inspected"); !given) return Refused(given);
    return capi::WriteStruct(inspection->found->inspected, inspected, "inspected");
  });
}

void ergo_inspection_free(ergo_inspection* inspection) { delete inspection; }

}  // extern "C"
