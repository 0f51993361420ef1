#include "runtime/inspect/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include "base/compute_pool.h"
#include "kernels/softmax/softmax.h"
#include "model/blocks/blocks.h"
#include "runtime/inspect/attention_weights.h"
#include "runtime/sample/candidates.h"

namespace ergo::runtime {
namespace {

constexpr const char* kWhere = "inspect";
/// Rows of logits that are held at once: a vocabulary may have 262,144 tokens.
constexpr std::size_t kRows = 64;

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Where in a list a number stands, kNone for those that do not; `count` numbers there can be.
std::vector<std::size_t> PlacesOf(std::span<const std::size_t> list, std::size_t count) {
  std::vector<std::size_t> places(count, kNone);
  for (std::size_t i = 0; i < list.size(); ++i) places[list[i]] = i;
  return places;
}

std::vector<std::size_t> OrAll(const std::vector<std::size_t>& list, std::size_t count) {
  if (!list.empty()) return list;
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

Status CheckList(std::span<const std::size_t> list, std::size_t count, std::string_view what) {
  std::vector<bool> seen(count);
  for (const std::size_t number : list) {
    if (number >= count) {
      return Fail(fmt::format("there is no {} {}", what, number), kWhere,
                  count == 0 ? "" : fmt::format("choose from 0 to {}", count - 1));
    }
    if (seen[number]) return Fail(fmt::format("{} {} is named twice", what, number), kWhere);
    seen[number] = true;
  }
  return {};
}

Status CheckNumbers(const Engine& engine, const InspectRequest& request) {
  const model::ModelConfig& config = engine.model().config();
  const std::size_t tokens = request.tokens.size();
  if (tokens == 0) return Fail("there are no tokens", kWhere, "give at least one");
  if (tokens > engine.context()) {
    return Fail(fmt::format("{} tokens are more than the context of {}", tokens, engine.context()),
                kWhere, "give fewer");
  }
  const std::size_t layers = config.layers.size();
  const std::pair<std::span<const std::size_t>, std::pair<std::size_t, const char*>> lists[] = {
      {request.positions, {tokens, "position"}},
      {request.state_layers, {layers + 1, "state behind layer"}},
      {request.attention_layers, {layers, "attention layer"}},
      {request.heads, {config.heads, "head"}},
      {request.outlooks, {tokens, "position"}},
  };
  for (const auto& [list, bounds] : lists) {
    if (auto valid = CheckList(list, bounds.first, bounds.second); !valid) return valid;
  }
  SamplingParams params;
  params.top_logprobs = request.alternatives;
  return params.Validate();
}

/// Looks on while the sequence is computed, and keeps what the request is about.
class Collector final : public model::StepObserver {
 public:
  Collector(const model::ModelConfig& config, const InspectRequest& request,
            const std::vector<std::size_t>& positions)
      : width_(config.hidden),
        query_width_(config.heads * config.head_dim),
        key_width_(config.kv_heads * config.head_dim),
        tokens_(request.tokens.size()),
        positions_(positions.size()),
        state_places_(PlacesOf(request.state_layers, config.layers.size() + 1)),
        attention_places_(PlacesOf(request.attention_layers, config.layers.size())),
        position_places_(PlacesOf(positions, tokens_)),
        states_(request.state_layers.size() * positions_ * width_),
        queries_(request.attention_layers.size() * positions_ * query_width_),
        keys_(request.attention_layers.size() * tokens_ * key_width_) {}

  /// Bytes that it will hold.
  static double Bytes(const model::ModelConfig& config, const InspectRequest& request,
                      std::size_t positions) {
    const auto count = [](auto... factors) { return (1.0 * ... * static_cast<double>(factors)); };
    return static_cast<double>(sizeof(float)) *
           (count(request.state_layers.size(), positions, config.hidden) +
            count(request.attention_layers.size(), positions, config.heads, config.head_dim) +
            count(request.attention_layers.size(), request.tokens.size(), config.kv_heads,
                  config.head_dim));
  }

  void OnState(std::size_t layer, std::size_t position, std::span<const float> state) override {
    const std::size_t place = state_places_[layer];
    const std::size_t at = position_places_[position];
    if (place == kNone || at == kNone) return;
    std::copy(state.begin(), state.end(), states_.data() + (place * positions_ + at) * width_);
  }

  void OnHeads(std::size_t layer, std::size_t position, std::span<const float> query,
               std::span<const float> key) override {
    const std::size_t place = attention_places_[layer];
    if (place == kNone) return;
    std::copy(key.begin(), key.end(), keys_.data() + (place * tokens_ + position) * key_width_);
    const std::size_t at = position_places_[position];
    if (at == kNone) return;
    std::copy(query.begin(), query.end(),
              queries_.data() + (place * positions_ + at) * query_width_);
  }

  std::vector<float> TakeStates() { return std::move(states_); }
  /// Of an attention layer of the request: the query of a position, and the first token's key.
  const float* Query(std::size_t place, std::size_t at) const {
    return queries_.data() + (place * positions_ + at) * query_width_;
  }
  const float* Keys(std::size_t place) const { return keys_.data() + place * tokens_ * key_width_; }

 private:
  const std::size_t width_;
  const std::size_t query_width_;
  const std::size_t key_width_;
  const std::size_t tokens_;
  const std::size_t positions_;
  const std::vector<std::size_t> state_places_;
  const std::vector<std::size_t> attention_places_;
  const std::vector<std::size_t> position_places_;
  std::vector<float> states_;
  std::vector<float> queries_;
  std::vector<float> keys_;
};

double AttentionCount(const InspectRequest& request, std::size_t heads, std::size_t positions) {
  return static_cast<double>(request.attention_layers.size()) * static_cast<double>(heads) *
         static_cast<double>(positions) * static_cast<double>(request.tokens.size());
}

Status CheckMemory(const model::ModelConfig& config, const InspectRequest& request,
                   const Inspection& wanted) {
  const std::size_t positions = wanted.positions.size();
  const double attention = AttentionCount(request, wanted.heads.size(), positions);
  const double outlooks =
      static_cast<double>(request.outlooks.size()) *
      static_cast<double>(sizeof(Outlook) +
                          static_cast<std::size_t>(request.alternatives) * sizeof(TokenLogprob));
  const double bytes = Collector::Bytes(config, request, positions) +
                       attention * static_cast<double>(sizeof(float)) + outlooks;
  if (bytes <= static_cast<double>(request.most_bytes)) return {};
  return Fail(fmt::format("it takes {:.0f} MiB, and {:.0f} are the limit", bytes / 1048576.0,
                          static_cast<double>(request.most_bytes) / 1048576.0),
              kWhere, "choose fewer layers, heads or positions");
}

Outlook OutlookOf(std::span<const float> logits, const InspectRequest& request,
                  std::size_t position, Candidates& candidates) {
  Outlook outlook;
  const float log_sum = kernels::LogSumExp(logits.data(), logits.size());
  double entropy = 0.0;
  for (const float logit : logits) {
    const double logprob = static_cast<double>(logit) - static_cast<double>(log_sum);
    const double p = std::exp(logprob);
    if (p != 0.0) entropy -= p * logprob;  // a NaN counts
  }
  outlook.entropy = static_cast<float>(entropy);
  if (position + 1 < request.tokens.size()) {
    outlook.next_logprob = logits[static_cast<std::size_t>(request.tokens[position + 1])] - log_sum;
  }
  if (request.alternatives == 0) return outlook;
  if (!std::isfinite(candidates.Reset(logits, 1.0))) return outlook;
  candidates.KeepTop(static_cast<std::size_t>(request.alternatives));
  for (const Candidate& one : candidates.Sorted()) {
    outlook.top.push_back({one.token(), one.logit - log_sum});
  }
  return outlook;
}

/// The engine's new sequence, watched; both end with the object.
class WatchedSequence {
 public:
  WatchedSequence(Engine& engine, model::StepObserver* observer)
      : engine_(engine), id_(engine.Add()) {
    engine.Observe(observer);
  }
  ~WatchedSequence() {
    engine_.Observe(nullptr);
    engine_.Release(id_);
  }
  WatchedSequence(const WatchedSequence&) = delete;
  WatchedSequence& operator=(const WatchedSequence&) = delete;

  Result<Logits> Step(std::span<const std::int32_t> tokens, LogitRows rows) {
    const Work work = {id_, tokens, rows};
    return engine_.Step({&work, 1});
  }

 private:
  Engine& engine_;
  SequenceId id_;
};

/// Computes the tokens up to the last one that something is wanted of, and the outlooks.
Status Compute(Engine& engine, const InspectRequest& request, Collector& collector,
               Inspection& result) {
  const std::size_t tokens = request.tokens.size();
  const std::vector<std::size_t> outlook_places = PlacesOf(request.outlooks, tokens);
  const std::size_t last_layer = engine.model().config().layers.size();
  const auto& layers = request.state_layers;
  const bool last_state = std::find(layers.begin(), layers.end(), last_layer) != layers.end();
  std::vector<bool> rows(tokens);  // whose logits are computed
  std::size_t end = 0;
  for (const std::size_t position : request.outlooks) {
    rows[position] = true;
    end = std::max(end, position + 1);
  }
  for (const std::size_t position : result.positions) {
    if (last_state) rows[position] = true;
    if (!layers.empty() || !request.attention_layers.empty()) end = std::max(end, position + 1);
  }

  WatchedSequence sequence(engine, &collector);
  ComputePool& pool = ComputePool::Shared();
  std::vector<Candidates> candidates(static_cast<std::size_t>(pool.size()));
  for (std::size_t begin = 0; begin < end;) {
    std::size_t count = 1;
    const std::size_t most = rows[begin] ? kRows : end;
    while (begin + count < end && count < most && rows[begin + count] == rows[begin]) ++count;
    const auto part = std::span(request.tokens).subspan(begin, count);
    const auto logits = sequence.Step(part, rows[begin] ? LogitRows::kAll : LogitRows::kNone);
    if (!logits) return tl::unexpected(logits.error());
    pool.Run(pool.size(), [&](Worker& worker) {
      for (std::size_t i = worker.Claim(); i < logits->rows(); i = worker.Claim()) {
        const std::size_t place = outlook_places[begin + i];
        if (place == kNone) continue;
        result.outlooks[place] = OutlookOf(logits->Row(i), request, begin + i,
                                           candidates[static_cast<std::size_t>(worker.index())]);
      }
    });
    begin += count;
  }
  return {};
}

void FindAttention(const model::ModelConfig& config, const InspectRequest& request,
                   const Collector& collector, Inspection& result) {
  const std::size_t heads = result.heads.size();
  const std::size_t positions = result.positions.size();
  const std::size_t pieces = request.attention_layers.size() * heads;
  result.attention.resize(pieces * positions * result.tokens);
  ComputePool& pool = ComputePool::Shared();
  std::vector<std::vector<double>> scratch(static_cast<std::size_t>(pool.size()));
  for (auto& scores : scratch) scores.resize(result.tokens);
  pool.Run(pool.size(), [&](Worker& worker) {
    const std::span<double> scores = scratch[static_cast<std::size_t>(worker.index())];
    for (std::size_t piece = worker.Claim(); piece < pieces; piece = worker.Claim()) {
      const std::size_t place = piece / heads;
      HeadQuery of;
      of.head = result.heads[piece % heads];
      of.head_dim = config.head_dim;
      of.stride = config.kv_heads * config.head_dim;
      const std::size_t kv_head = of.head / (config.heads / config.kv_heads);
      of.keys = collector.Keys(place) + kv_head * config.head_dim;
      const auto params = model::AttentionOf(config, request.attention_layers[place]);
      for (std::size_t at = 0; at < positions; ++at) {
        of.query = collector.Query(place, at) + of.head * config.head_dim;
        of.position = result.positions[at];
        const std::size_t row = piece * positions + at;
        AttentionWeights(params, of, scores,
                         std::span(result.attention).subspan(row * result.tokens, result.tokens));
      }
    }
  });
}

}  // namespace

Result<Inspection> Inspect(Engine& engine, const InspectRequest& request) {
  if (auto valid = CheckNumbers(engine, request); !valid) return Fail(std::move(valid));
  const model::ModelConfig& config = engine.model().config();
  Inspection result;
  result.width = config.hidden;
  result.tokens = request.tokens.size();
  result.positions = OrAll(request.positions, request.tokens.size());
  result.heads = OrAll(request.heads, config.heads);
  if (auto fits = CheckMemory(config, request, result); !fits) return Fail(std::move(fits));
  result.outlooks.resize(request.outlooks.size());
  Collector collector(config, request, result.positions);
  if (auto done = Compute(engine, request, collector, result); !done) return Fail(std::move(done));
  result.states = collector.TakeStates();
  FindAttention(config, request, collector, result);
  return result;
}

}  // namespace ergo::runtime
