// The functions of ergo.h on sequences.
#include <fmt/format.h>

#include <cmath>

#include "capi/sequence.h"
#include "capi/tokens.h"
#include "capi/versioned.h"

namespace ergo::capi {
namespace {

/// Longer waits are waits for as long as it takes.
constexpr double kMostSeconds = 1e8;

Outcome<ergo_sequence*> Submit(const ergo_model* model, std::span<const std::int32_t> tokens,
                               const ergo_sequence_options* options) {
  if (tokens.empty()) return Invalid("are none", "tokens", "give at least one");
  const std::size_t context = model->state->model().context();
  if (tokens.size() > context) {
    return tl::unexpected(Failure(
        Error{fmt::format("{} tokens are more than the context of {}", tokens.size(), context),
              "tokens", "shorten the text or load the model with a longer context"}));
  }
  if (auto known = KnownTokens(*model->state, tokens, "tokens"); !known) return Refused(known);
  auto made = Sequence::Submit(model->state, tokens, options);
  if (!made) return Refused(made);
  return new ergo_sequence{std::move(*made)};
}

Outcome<ergo_sequence*> Fork(Sequence& parent, std::size_t position,
                             std::span<const std::int32_t> appended,
                             const ergo_sequence_options* options) {
  if (auto known = KnownTokens(parent.model(), appended, "appended"); !known) {
    return Refused(known);
  }
  auto made = parent.Fork(position, appended, options);
  if (!made) return Refused(made);
  return new ergo_sequence{std::move(*made)};
}

Outcome<std::vector<std::vector<std::int32_t>>> ContinuationsOf(
    const Sequence& sequence, std::span<const ergo_continuation> given) {
  const std::size_t context = sequence.model().model().context();
  std::vector<std::vector<std::int32_t>> continuations;
  for (const ergo_continuation& one : given) {
    auto tokens = ArrayOf(one.tokens, one.count, context, "continuations");
    if (!tokens) return Refused(tokens);
    if (auto known = KnownTokens(sequence.model(), *tokens, "continuations"); !known) {
      return Refused(known);
    }
    continuations.emplace_back(tokens->begin(), tokens->end());
  }
  return continuations;
}

Outcome<ergo_status> Score(Sequence& sequence, std::span<const ergo_continuation> given,
                           std::span<float> logprobs) {
  auto continuations = ContinuationsOf(sequence, given);
  if (!continuations) return Refused(continuations);
  std::size_t total = 0;
  for (const auto& one : *continuations) total += one.size();
  if (total != logprobs.size()) {
    return Invalid(
        fmt::format("is {}, but the continuations have {} tokens", logprobs.size(), total),
        "logprob_count");
  }
  if (total == 0) return ERGO_OK;
  auto scores = sequence.Score(std::move(*continuations));
  if (!scores) return Refused(scores);
  std::size_t at = 0;
  for (const std::vector<float>& row : *scores) {
    std::copy(row.begin(), row.end(), logprobs.begin() + static_cast<std::ptrdiff_t>(at));
    at += row.size();
  }
  return ERGO_OK;
}

Sequence::Clock::time_point Until(double seconds) {
  if (seconds < 0.0 || seconds > kMostSeconds) return Sequence::Clock::time_point::max();
  return Sequence::Clock::now() + std::chrono::duration_cast<Sequence::Clock::duration>(
                                      std::chrono::duration<double>(seconds));
}

}  // namespace
}  // namespace ergo::capi

namespace capi = ergo::capi;
using ergo::capi::Outcome;

extern "C" {

ergo_sequence* ergo_submit(const ergo_model* model, const int32_t* tokens, size_t count,
                           const ergo_sequence_options* options, ergo_error** error) {
  return capi::GuardedPointer<ergo_sequence>(error, [&]() -> Outcome<ergo_sequence*> {
    if (auto given = capi::NotNull(model, "model"); !given) return Refused(given);
    auto ids = capi::ArrayOf(tokens, count, capi::kMostTokens, "tokens");
    if (!ids) return Refused(ids);
    return capi::Submit(model, *ids, options);
  });
}

ergo_sequence* ergo_submit_text(const ergo_model* model, const char* text, size_t length,
                                const ergo_sequence_options* options, ergo_error** error) {
  return capi::GuardedPointer<ergo_sequence>(error, [&]() -> Outcome<ergo_sequence*> {
    if (auto given = capi::NotNull(model, "model"); !given) return Refused(given);
    auto given = capi::TextOf(text, length, "text");
    if (!given) return Refused(given);
    return capi::Submit(model, model->state->model().tokenizer().Encode(*given), options);
  });
}

ergo_sequence* ergo_fork(ergo_sequence* parent, size_t position, const int32_t* appended,
                         size_t count, const ergo_sequence_options* options, ergo_error** error) {
  return capi::GuardedPointer<ergo_sequence>(error, [&]() -> Outcome<ergo_sequence*> {
    if (auto given = capi::NotNull(parent, "parent"); !given) return Refused(given);
    auto ids = capi::ArrayOf(appended, count, capi::kMostTokens, "appended");
    if (!ids) return Refused(ids);
    return capi::Fork(*parent->sequence, position, *ids, options);
  });
}

void ergo_sequence_free(ergo_sequence* sequence) { delete sequence; }

void ergo_stop(ergo_sequence* sequence) {
  capi::Guarded(nullptr, [&]() -> Outcome<ergo_status> {
    if (sequence != nullptr) sequence->sequence->Stop();
    return ERGO_OK;
  });
}

void ergo_sequence_drop(ergo_sequence* sequence) {
  capi::Guarded(nullptr, [&]() -> Outcome<ergo_status> {
    if (sequence != nullptr) sequence->sequence->Drop();
    return ERGO_OK;
  });
}

ergo_status ergo_generate(ergo_sequence* sequence, ergo_on_token on_token, void* user,
                          ergo_end* end, ergo_error** error) {
  return capi::Guarded(error, [&]() -> Outcome<ergo_status> {
    if (auto given = capi::NotNull(sequence, "sequence"); !given) return Refused(given);
    if (end != nullptr) {
      if (auto size = capi::CheckSize(end, "end"); !size) return Refused(size);
    }
    auto done = sequence->sequence->Generate(on_token, user);
    if (!done || end == nullptr) return done;
    auto how = sequence->sequence->End();
    if (!how) return Refused(how);
    return capi::WriteStruct(*how, end, "end");
  });
}

ergo_status ergo_sequence_next(ergo_sequence* sequence, double timeout_seconds,
                               const ergo_token** token, ergo_error** error) {
  return capi::Guarded(error, [&]() -> Outcome<ergo_status> {
    if (auto given = capi::NotNull(sequence, "sequence"); !given) return Refused(given);
    if (auto given = capi::NotNull(token, "token"); !given) return Refused(given);
    if (std::isnan(timeout_seconds)) return capi::Invalid("is not a number", "timeout_seconds");
    return sequence->sequence->Next(capi::Until(timeout_seconds), token);
  });
}

ergo_status ergo_sequence_get_end(const ergo_sequence* sequence, ergo_end* end,
                                  ergo_error** error) {
  return capi::Guarded(error, [&]() -> Outcome<ergo_status> {
    if (auto given = capi::NotNull(sequence, "sequence"); !given) return Refused(given);
    if (auto given = capi::NotNull(end, "end"); !given) return Refused(given);
    auto how = sequence->sequence->End();
    if (!how) return Refused(how);
    return capi::WriteStruct(*how, end, "end");
  });
}

ergo_status ergo_sequence_get_tokens(const ergo_sequence* sequence, int32_t** tokens, size_t* count,
                                     ergo_error** error) {
  return capi::Guarded(error, [&]() -> Outcome<ergo_status> {
    if (auto given = capi::NotNull(sequence, "sequence"); !given) return Refused(given);
    if (auto given = capi::NotNull(tokens, "tokens"); !given) return Refused(given);
    if (auto given = capi::NotNull(count, "count"); !given) return Refused(given);
    const std::vector<std::int32_t> read = sequence->sequence->tokens();
    *tokens = capi::CopyTokens(read);
    *count = read.size();
    return ERGO_OK;
  });
}

size_t ergo_sequence_position(const ergo_sequence* sequence) {
  return sequence != nullptr ? sequence->sequence->position() : 0;
}

ergo_status ergo_score(ergo_sequence* sequence, const ergo_continuation* continuations,
                       size_t count, float* logprobs, size_t logprob_count, ergo_error** error) {
  return capi::Guarded(error, [&]() -> Outcome<ergo_status> {
    if (auto given = capi::NotNull(sequence, "sequence"); !given) return Refused(given);
    auto rows = capi::ArrayOf(continuations, count, capi::kMostTokens, "continuations");
    if (!rows) return Refused(rows);
    if (logprobs == nullptr && logprob_count != 0) return capi::Invalid("is NULL", "logprobs");
    return capi::Score(*sequence->sequence, *rows, std::span(logprobs, logprob_count));
  });
}

}  // extern "C"
