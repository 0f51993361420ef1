#include "generate/beam.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ergo::generate {
namespace {

/// A row that was asked for: the sequence that computed it, and what it foretells.
struct Beam {
  runtime::Stream stream;
  std::vector<TokenId> tokens;  ///< of the answer
  double logprob = 0.0;
};

struct Candidate {
  std::size_t beam = 0;
  TokenId token = -1;
  double logprob = 0.0;  ///< of the whole answer with it
};

class Search {
 public:
  Search(LanguageModel& model, std::span<const TokenId> prompt, const BeamOptions& options)
      : model_(model), prompt_(prompt), options_(options) {}

  Result<std::vector<BeamAnswer>> Run();

 private:
  double Score(double logprob, std::size_t length) const {
    return logprob /
           std::pow(static_cast<double>(std::max<std::size_t>(length, 1)), options_.length_penalty);
  }
  runtime::SequenceOptions OneRow() const;
  Result<std::vector<Candidate>> Candidates();
  void Follow(const std::vector<Candidate>& candidates);
  void Keep(const Beam& beam, bool ended, TokenId last);
  bool NoBeamCanWin() const;

  LanguageModel& model_;
  std::span<const TokenId> prompt_;
  const BeamOptions& options_;
  std::vector<Beam> beams_;
  std::vector<BeamAnswer> answers_;
};

/// A sequence that draws one token, which nobody cares for: it comes with the likeliest ones.
runtime::SequenceOptions Search::OneRow() const {
  runtime::SequenceOptions options;
  options.sampling.temperature = 0.0f;
  options.sampling.top_logprobs =
      static_cast<int>(options_.width + model_.end_of_generation().size());
  options.max_tokens = 1;
  options.keep = true;
  options.speculate = false;
  return options;
}

Result<std::vector<Candidate>> Search::Candidates() {
  std::vector<Candidate> candidates;
  for (std::size_t b = 0; b < beams_.size(); ++b) {
    runtime::DrawnToken row;
    while (beams_[b].stream->Next(&row) == runtime::TokenStream::Wait::kToken) {
      for (const runtime::TokenLogprob& next : row.top) {
        candidates.push_back({b, next.token, beams_[b].logprob + next.logprob});
      }
    }
    const runtime::SequenceEnd& end = beams_[b].stream->end();
    if (end.error) return tl::unexpected(*end.error);
  }
  // Ties in a fixed order, so that the same search gives the same answers.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.logprob != b.logprob) return a.logprob > b.logprob;
    return std::pair(a.beam, a.token) < std::pair(b.beam, b.token);
  });
  return candidates;
}

void Search::Keep(const Beam& beam, bool ended, TokenId last) {
  BeamAnswer answer;
  answer.tokens = beam.tokens;
  if (ended) answer.tokens.push_back(last);
  answer.logprob = beam.logprob;
  answer.score = Score(answer.logprob, answer.tokens.size());
  answer.ended = ended;
  const auto worse = [](const BeamAnswer& a, const BeamAnswer& b) { return a.score > b.score; };
  answers_.insert(std::upper_bound(answers_.begin(), answers_.end(), answer, worse), answer);
  if (answers_.size() > options_.width) answers_.pop_back();
}

/// The best candidates become the next beams; those that end become answers.
void Search::Follow(const std::vector<Candidate>& candidates) {
  const auto& ends = model_.end_of_generation();
  std::vector<Beam> next;
  for (const Candidate& candidate : candidates) {
    if (next.size() == options_.width) break;
    const Beam& from = beams_[candidate.beam];
    if (std::binary_search(ends.begin(), ends.end(), candidate.token)) {
      Beam ended = {{}, from.tokens, candidate.logprob};
      Keep(ended, true, candidate.token);
      continue;
    }
    Beam beam = {{}, from.tokens, candidate.logprob};
    beam.tokens.push_back(candidate.token);
    const std::size_t position = prompt_.size() + from.tokens.size();
    beam.stream =
        model_.scheduler().Fork({from.stream->id(), position, {candidate.token}}, OneRow());
    next.push_back(std::move(beam));
  }
  beams_ = std::move(next);
}

/// A beam's score can only be that of its tokens so far, at most, over the longest length it may
/// reach (for a positive penalty).
bool Search::NoBeamCanWin() const {
  if (answers_.size() < options_.width) return false;
  return std::all_of(beams_.begin(), beams_.end(), [&](const Beam& beam) {
    const std::size_t length =
        options_.length_penalty > 0.0 ? options_.max_tokens : beam.tokens.size();
    return Score(beam.logprob, length) <= answers_.back().score;
  });
}

Result<std::vector<BeamAnswer>> Search::Run() {
  Beam first;
  first.stream = model_.scheduler().Submit({prompt_.begin(), prompt_.end()}, OneRow());
  beams_.push_back(std::move(first));
  for (std::size_t length = 1; !beams_.empty() && !NoBeamCanWin(); ++length) {
    if (options_.cancelled && options_.cancelled()) return Fail("interrupted", "beam search");
    const auto candidates = Candidates();
    if (!candidates) return tl::unexpected(candidates.error());
    const std::size_t most = std::min(options_.max_tokens, model_.context() - prompt_.size());
    if (length > most) {
      for (const Beam& beam : beams_) Keep(beam, false, -1);
      break;
    }
    Follow(*candidates);
  }
  return std::move(answers_);
}

}  // namespace

Result<std::vector<BeamAnswer>> BeamSearch(LanguageModel& model, std::span<const TokenId> prompt,
                                           const BeamOptions& options) {
  if (prompt.empty()) return Fail("the prompt is empty", "beam search");
  if (options.width == 0 || options.width > 64) {
    return Fail("the width is out of range", "beam search", "choose 1 to 64");
  }
  if (prompt.size() > model.context()) {
    return Fail("the prompt is longer than the context", "beam search",
                "shorten it or choose a longer context");
  }
  return Search(model, prompt, options).Run();
}

}  // namespace ergo::generate
