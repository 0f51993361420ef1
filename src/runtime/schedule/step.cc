// One step: what goes in, and what comes of it.
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "kernels/softmax/softmax.h"
#include "runtime/schedule/engine_loop.h"
#include "runtime/speculate/lookup_proposer.h"

namespace ergo::runtime {
namespace {

/// Sequences that lack at most so many tokens take part in every step; more are a prompt, which is
/// computed beside them.
constexpr std::size_t kShort = 16;
/// A prompt's part in a step is at least this.
constexpr std::size_t kLeastPromptRows = 32;
/// Steps of so many rows tell how long a prompt's rows take.
constexpr std::size_t kTellingRows = 32;

}  // namespace

/// Rows of prompts in a step that others wait for.
std::size_t EngineLoop::PromptRows() const {
  const bool others =
      std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return !part.live->job; });
  const std::size_t most = engine_->prompt_chunk();
  if (!others || row_seconds_ <= 0.0) return most;
  const double rows = options_.stall_seconds / row_seconds_;
  return static_cast<std::size_t>(std::clamp(
      rows, static_cast<double>(std::min(kLeastPromptRows, most)), static_cast<double>(most)));
}

/// Gives a sequence a part of `count` tokens in the step, if there is room.
bool EngineLoop::Take(const LivePtr& live, std::size_t count) {
  const std::size_t computed = Computed(*live);
  const std::size_t end = computed + count;
  const std::size_t missing = engine_->Missing(live->kv, end);
  if (!MakeRoom(*live, missing_ + missing)) return false;
  Part part;
  part.live = live;
  part.tokens = std::span(live->tokens).subspan(computed, count);
  const bool reaches_end = end == live->tokens.size();
  if (live->job && live->continuation != Live::kBase) {
    // Rows before the continuation's first token tell nothing new.
    if (end > live->end.given_tokens) part.logits = LogitRows::kAll;
  } else if (reaches_end) {
    part.logits = LogitRows::kLast;
  }
  part.rows = part.logits == LogitRows::kNone ? 0 : part.logits == LogitRows::kLast ? 1 : count;
  rows_ += count;
  logit_rows_ += part.rows;
  missing_ += missing;
  live->last_step = stats_.steps;
  parts_.push_back(std::move(part));
  return true;
}

/// Tokens that a sequence may be lengthened by, beside its last one, as far as there is room.
std::size_t EngineLoop::MostProposed(const Live& live) const {
  return std::min({speculation_.most(), engine_->prompt_chunk() - rows_,
                   most_logit_rows_ - logit_rows_, engine_->context() - live.tokens.size(),
                   live.options.max_tokens - live.drawn() - 1});
}

/// What may follow the parts of one token: from texts, or else from the draft model, for all parts
/// together.
void EngineLoop::ProposeFor() {
  std::vector<DraftModel::Request> drafts;
  StepSoFar step = {std::max<std::size_t>(rows_, 1), static_cast<double>(logit_rows_)};
  for (Part& part : parts_) {
    Live& live = *part.live;
    live.proposal = {};
    if (live.proposer == nullptr || part.tokens.size() != 1) continue;
    const std::size_t most = MostProposed(live);
    if (most == 0) continue;
    live.proposal = live.proposer->Propose(live.tokens, most);
    if (options_.draft == nullptr || live.proposal.matched >= LookupProposer::kGoodMatch) continue;
    const std::size_t asked =
        speculation_.Ask(live.speculation, most, options_.draft->seconds(), step);
    if (asked == 0) continue;
    live.proposal = {};
    drafts.push_back({&live.draft, live.tokens, &live.options.sampling, asked, &live.proposal});
    step.rows += asked;
    step.tokens += static_cast<double>(asked);
  }
  if (!drafts.empty()) options_.draft->Propose(drafts);
}

/// Lengthens the parts of one token by tokens that may follow, where that is likely to pay.
void EngineLoop::Speculate() {
  ProposeFor();
  StepSoFar step = {std::max<std::size_t>(rows_, 1), static_cast<double>(logit_rows_)};
  for (Part& part : parts_) {
    Live& live = *part.live;
    if (live.proposal.tokens.empty()) continue;
    const std::size_t most = MostProposed(live);
    if (live.proposal.tokens.size() > most) live.proposal.tokens.resize(most);
    const StepSoFar without = step;
    const std::size_t count = speculation_.Choose(live.speculation, live.proposal, step);
    if (count == 0) continue;
    const std::size_t before = engine_->Missing(live.kv, live.tokens.size());
    const std::size_t more = engine_->Missing(live.kv, live.tokens.size() + count) - before;
    if (missing_ + more > engine_->room()) {
      step = without;
      continue;
    }
    live.fed.assign(1, live.tokens.back());
    live.fed.insert(live.fed.end(), live.proposal.tokens.begin(),
                    live.proposal.tokens.begin() + static_cast<std::ptrdiff_t>(count));
    part.tokens = live.fed;
    part.proposed = count;
    part.logits = LogitRows::kAll;
    part.rows += count;
    rows_ += count;
    logit_rows_ += count;
    missing_ += more;
  }
}

void EngineLoop::Plan() {
  parts_.clear();
  rows_ = logit_rows_ = missing_ = 0;
  for (const LivePtr& live : running_) engine_->Slide(live->kv);
  const auto wants = [&](const LivePtr& live) {
    return live->state == Live::State::kRunning && (live->job || !live->stream->Full());
  };
  const std::size_t most_brief = std::min(kShort, most_logit_rows_);
  std::vector<LivePtr> brief;
  std::vector<LivePtr> long_ones;
  for (const LivePtr& live : running_) {
    if (wants(live)) (Pending(*live) <= most_brief ? brief : long_ones).push_back(live);
  }
  // However many decode, prompts get on.
  const std::size_t chunk = engine_->prompt_chunk();
  const std::size_t brief_rows =
      long_ones.empty() ? chunk : chunk - std::min(chunk / 2, kLeastPromptRows);
  if (brief.size() > most_logit_rows_) {  // they take turns
    std::stable_sort(brief.begin(), brief.end(), [](const LivePtr& a, const LivePtr& b) {
      if (a->options.priority != b->options.priority) {
        return a->options.priority > b->options.priority;
      }
      return a->last_step < b->last_step;
    });
  }
  LivePtr first_refused;
  for (const LivePtr& live : brief) {
    if (live->state != Live::State::kRunning) continue;  // was pre-empted just now
    const std::size_t count = Pending(*live);
    const std::size_t logits = live->job ? count : 1;
    if (!parts_.empty() &&
        (rows_ + count > brief_rows || logit_rows_ + logits > most_logit_rows_)) {
      break;
    }
    if (!Take(live, count) && first_refused == nullptr) first_refused = live;
  }
  if (long_ones.empty()) Speculate();
  std::sort(long_ones.begin(), long_ones.end(), [&](const LivePtr& a, const LivePtr& b) {
    return service_.Before({a->options.priority, a->options.name_space, a->arrival},
                           {b->options.priority, b->options.name_space, b->arrival});
  });
  const std::size_t most_rows = std::min(chunk, rows_ + PromptRows());
  for (const LivePtr& live : long_ones) {
    if (rows_ >= most_rows) break;
    if (live->state != Live::State::kRunning) continue;
    std::size_t count = std::min(Pending(*live), most_rows - rows_);
    if (live->job && live->continuation != Live::kBase) {
      const std::size_t computed = Computed(*live);
      if (computed < live->end.given_tokens) {
        count = std::min(count, live->end.given_tokens - computed);
      } else {
        count = std::min(count, most_logit_rows_ - std::min(logit_rows_, most_logit_rows_));
      }
    } else if (logit_rows_ >= most_logit_rows_) {
      count = std::min(count, Pending(*live) - 1);
    }
    if (count == 0) continue;
    if (!Take(live, count) && !Take(live, std::min(count, kernels::kBlockTokens)) &&
        first_refused == nullptr) {
      first_refused = live;
    }
  }
  if (parts_.empty() && first_refused != nullptr) {
    Finish(first_refused, EndReason::kError,
           Error{fmt::format("there is no room for more than {} tokens: all {} bytes for keys and "
                             "values are in use",
                             Computed(*first_refused), engine_->capacity()),
                 "engine", "ask for fewer tokens or give more memory (--kv-memory)"});
  }
}

/// Adds a token to the sequence; false if it was the last one.
bool EngineLoop::Append(Part& part, DrawnToken token) {
  Live& live = *part.live;
  const std::int32_t id = token.token;
  live.tokens.push_back(id);
  part.drawn.push_back(std::move(token));
  const bool more = !live.options.hook || live.options.hook->Accept(id);
  const auto& stops = live.options.stop_tokens;
  if (std::find(stops.begin(), stops.end(), id) != stops.end()) {
    part.ended = EndReason::kStopToken;
  } else if (!more) {
    part.ended = EndReason::kComplete;
  } else if (live.drawn() >= live.options.max_tokens) {
    part.ended = EndReason::kLength;
  } else if (live.tokens.size() > engine_->context()) {
    part.ended = EndReason::kContext;
  }
  return !part.ended;
}

void EngineLoop::AppendForced(Part& part) {
  Live& live = *part.live;
  while (live.options.hook && !part.ended) {
    const std::vector<std::int32_t> forced = live.options.hook->Forced();
    if (forced.empty()) return;
    for (const std::int32_t token : forced) {
      if (!Append(part, {token, true, 0.0f, {}})) return;
    }
  }
}

/// Draws the tokens that the rows of a part allow. Any thread; touches nothing but the part's
/// sequence.
void EngineLoop::Draw(Part& part, const Logits& logits) {
  thread_local std::vector<float> masked;
  Live& live = *part.live;
  const std::size_t given = live.tokens.size();
  AppendForced(part);
  if (part.ended || live.tokens.size() != given) return;
  for (std::size_t i = 0; i < part.rows; ++i) {
    const std::span<const float> row = logits.Row(part.first_row + i);
    SampleInput input = {row, live.tokens, live.tokens.size(), {}};
    if (live.options.hook) {
      masked.assign(row.begin(), row.end());
      live.options.hook->Mask(masked);
      input.logits = masked;
      input.model_logits = row;
    }
    Sampled drawn = live.sampler.Next(input);
    if (drawn.token == Sampled::kNoToken) {
      part.ended = EndReason::kError;
      part.error = Error{
          "no token is possible: the model's numbers are not finite, or all are "
          "forbidden",
          "engine", "check the weights, and the request's bias and constraints"};
      return;
    }
    const std::int32_t token = drawn.token;
    const std::size_t before = live.tokens.size();
    if (!Append(part, {token, false, drawn.logprob, std::move(drawn.top)})) return;
    AppendForced(part);
    if (part.ended || i + 1 == part.rows) return;
    // The next row is right if it was computed from just this token.
    if (part.tokens[i + 1] != token || live.tokens.size() != before + 1) return;
    ++part.accepted;
  }
}

/// Log-probabilities of what the rows of a part foretell. Any thread.
void EngineLoop::ScoreRows(Part& part, const Logits& logits) {
  Live& live = *part.live;
  ScoreJob& job = *live.job;
  const auto score = [](std::span<const float> row, std::int32_t token, float lse) {
    return row[static_cast<std::size_t>(token)] - lse;
  };
  if (live.continuation == Live::kBase) {
    const std::span<const float> row = logits.Row(part.first_row);
    const float lse = kernels::LogSumExp(row.data(), row.size());
    for (std::size_t c = 0; c < job.continuations.size(); ++c) {
      if (!job.scores[c].empty()) job.scores[c][0] = score(row, job.continuations[c][0], lse);
    }
    return;
  }
  const auto& continuation = job.continuations[live.continuation];
  const std::size_t first = Computed(live) - part.tokens.size();  // position of the first row
  for (std::size_t i = 0; i < part.rows; ++i) {
    const std::size_t foretold = first + i + 1 - live.end.given_tokens;
    if (first + i < live.end.given_tokens || foretold >= continuation.size()) continue;
    const std::span<const float> row = logits.Row(part.first_row + i);
    job.scores[live.continuation][foretold] =
        score(row, continuation[foretold], kernels::LogSumExp(row.data(), row.size()));
  }
}

void EngineLoop::SettleScores(Part& part) {
  const LivePtr live = part.live;
  ScoreJob& job = *live->job;
  if (Pending(*live) > 0 && !job.answered) return;
  if (job.answered) return Finish(live, EndReason::kLength);
  if (live->continuation != Live::kBase) {
    if (--job.left == 0) job.Answer(std::move(job.scores));
    return Finish(live, EndReason::kLength);
  }
  // The base holds all its tokens now: continuations of more than one token go on from here.
  for (std::size_t c = 0; c < job.continuations.size(); ++c) {
    const auto& continuation = job.continuations[c];
    if (continuation.size() == 1) --job.left;
    if (continuation.size() <= 1) continue;
    const LivePtr child = NewJobLive(live->job);
    child->continuation = c;
    child->tokens = live->tokens;
    child->tokens.insert(child->tokens.end(), continuation.begin(), continuation.end() - 1);
    if (auto kv = engine_->Fork(live->kv, live->tokens.size())) child->kv = *kv;
    Submit(child);
    child->end.given_tokens = live->tokens.size();
  }
  if (job.left == 0) job.Answer(std::move(job.scores));
  Finish(live, EndReason::kLength);
}

/// What a part's rows have brought is made known.
void EngineLoop::Settle(Part& part) {
  const LivePtr live = part.live;
  if (live->state == Live::State::kGone) return;  // its job failed meanwhile
  service_.Serve(live->options.name_space, part.tokens.size());
  RememberWhereTextsPart(*live);
  if (live->job) return SettleScores(part);
  if (part.rows == 0) return;
  const bool first = live->drawn() == part.drawn.size();
  if (first) {
    live->end.prompt_seconds = std::chrono::duration<double>(Clock::now() - live->admitted).count();
    // Others may begin like this prompt. Its open block is shared only if somebody wants it: the
    // next token would have to copy it.
    std::size_t known = live->end.given_tokens;
    if (waiting_.empty()) known -= known % kernels::kBlockTokens;
    engine_->Remember(live->kv, live->options.name_space, std::span(live->tokens).first(known));
    look_again_ = true;
  }
  // What was proposed and not drawn is forgotten.
  if (Computed(*live) >= live->tokens.size()) {
    static_cast<void>(engine_->Truncate(live->kv, live->tokens.size() - 1));
  }
  if (part.proposed > 0 && !part.ended) {  // an end says nothing about the rest of the proposal
    speculation_.RecordAcceptance(live->speculation, live->proposal, part.proposed, part.accepted);
  }
  live->end.proposed_tokens += part.proposed;
  live->end.accepted_tokens += part.accepted;
  stats_.drawn_tokens += part.drawn.size();
  live->stream->Push(std::move(part.drawn));
  if (part.ended) Finish(live, *part.ended, std::move(part.error));
}

void EngineLoop::Compute() {
  std::vector<Work> works;
  works.reserve(parts_.size());
  std::size_t row = 0;
  bool prompts = false;
  for (Part& part : parts_) {
    works.push_back({part.live->kv, part.tokens, part.logits});
    part.first_row = row;
    row += part.rows;
    prompts = prompts || part.rows < part.tokens.size();
  }
  const auto start = Clock::now();
  const auto logits = engine_->Step(works);
  ++stats_.steps;
  if (!logits) {
    const std::vector<Part> parts = std::exchange(parts_, {});
    for (const Part& part : parts) Finish(part.live, EndReason::kError, logits.error());
    return;
  }
  stats_.computed_tokens += rows_;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!prompts) speculation_.Record(rows_, seconds);
  if (rows_ >= kTellingRows) {
    const double each = seconds / static_cast<double>(rows_);
    row_seconds_ = row_seconds_ == 0.0 ? each : 0.7 * row_seconds_ + 0.3 * each;
  }
  const auto look_at = [&](Part& part) {
    if (part.rows > 0) part.live->job ? ScoreRows(part, *logits) : Draw(part, *logits);
  };
  if (logit_rows_ <= 1) {
    for (Part& part : parts_) look_at(part);
  } else {
    pool_->Run(threads_, [&](Worker& worker) {
      for (std::size_t i = worker.Claim(); i < parts_.size(); i = worker.Claim())
        look_at(parts_[i]);
    });
  }
  std::vector<Part> parts = std::exchange(parts_, {});
  for (Part& part : parts) Settle(part);
}

bool EngineLoop::Step() {
  ExpireDeadlines();
  Admit();
  try {
    Plan();
    if (parts_.empty()) {
      return look_again_;  // Plan may have ended or pre-empted somebody
    }
    Compute();
  } catch (const std::bad_alloc&) {
    const Error error = {"there is not enough memory for a step", "engine",
                         "run fewer sequences at a time or a smaller model"};
    const std::vector<Part> parts = std::exchange(parts_, {});
    for (const Part& part : parts) Finish(part.live, EndReason::kError, error);
  }
  return true;
}

}  // namespace ergo::runtime
