// Several derivations, of which the one with the likeliest tokens counts.
#include <algorithm>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

Result<Answer> SolveBestOfN(Work& work) {
  const std::size_t count = SamplesFor(work, {});
  std::vector<Derivation> derivations;
  const Status drawn = DeriveStage(work, "derive", &derivations, [&] {
    return DrawChains(work, {.count = count, .temperature = work.settings().temperature});
  });
  if (!drawn) return tl::unexpected(drawn.error());
  auto candidates = Vote(derivations, KindOf(work.question()), false);
  const auto likelihood = [&](const Candidate& candidate) {
    double best = -1e9;
    for (const std::size_t i : candidate.supporters)
      best = std::max(best, derivations[i].mean_logprob);
    return best;
  };
  for (Candidate& candidate : candidates) {
    std::stable_sort(candidate.supporters.begin(), candidate.supporters.end(),
                     [&](std::size_t a, std::size_t b) {
                       return derivations[a].mean_logprob > derivations[b].mean_logprob;
                     });
  }
  std::stable_sort(
      candidates.begin(), candidates.end(),
      [&](const Candidate& a, const Candidate& b) { return likelihood(a) > likelihood(b); });
  return Conclude(work, derivations, candidates);
}

}  // namespace

const Strategy kBestOfNStrategy = {"best-of-n", "several derivations, the likeliest counts",
                                   SolveBestOfN};

}  // namespace ergo::reasoning
