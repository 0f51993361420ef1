// Beam search over steps: the likeliest derivations, line by line.
#include <algorithm>
#include <cmath>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/derive/step_draw.h"
#include "reasoning/derive/steps.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kWays = 2;  ///< from each beam
constexpr std::size_t kMostSteps = 64;

double Score(const Place& place) { return MeanLogprob(place.tokens); }

Derivation ToDerivation(Work& work, const Place& place) {
  Derivation derivation;
  derivation.branch = place.branch;
  derivation.text = place.text;
  derivation.finished = place.ended;
  derivation.tokens = place.tokens.size();
  derivation.mean_logprob = Score(place);
  derivation.value = ValueIn(place.text, KindOf(work.question()), work.question());
  RecordSteps(work, place.tokens, &derivation);
  return derivation;
}

Result<std::vector<Derivation>> Search(Work& work, std::size_t width) {
  const auto prompt = ChainPrompt(work);
  if (!prompt) return tl::unexpected(prompt.error());
  const auto start = work.Begin(*prompt);
  if (!start) return tl::unexpected(start.error());
  std::vector<Place> beams = {{*start, "", {}, false}};
  std::vector<Place> ended;
  const std::size_t steps = std::min(kMostSteps, work.budget().steps());
  for (std::size_t step = 0; step < steps && !beams.empty() && ended.size() < width; ++step) {
    const std::size_t ways = step == 0 ? std::max(width, kWays) : kWays;
    auto next = DrawSteps(work, beams, {.width = ways, .temperature = work.settings().temperature});
    std::erase_if(next, [](const Place& place) { return place.branch == nullptr; });
    if (next.empty()) break;
    std::stable_sort(next.begin(), next.end(),
                     [](const Place& a, const Place& b) { return Score(a) > Score(b); });
    beams.clear();
    for (Place& place : next) {
      if (beams.size() + ended.size() >= width) break;
      const bool same = std::any_of(beams.begin(), beams.end(),
                                    [&](const Place& other) { return other.text == place.text; });
      if (!same) (place.ended ? ended : beams).push_back(std::move(place));
    }
  }
  std::move(beams.begin(), beams.end(), std::back_inserter(ended));
  std::stable_sort(ended.begin(), ended.end(),
                   [](const Place& a, const Place& b) { return Score(a) > Score(b); });
  std::vector<Derivation> derivations;
  for (const Place& place : ended) {
    if (!place.text.empty()) derivations.push_back(ToDerivation(work, place));
  }
  return derivations;
}

Result<Answer> SolveBeam(Work& work) {
  const std::size_t width = SamplesFor(work, {.tokens = 512, .unbounded = 4, .most = 8});
  std::vector<Derivation> derivations;
  const Status drawn =
      DeriveStage(work, "search", &derivations, [&] { return Search(work, width); });
  if (!drawn) return tl::unexpected(drawn.error());
  // The likeliest derivation that came to an answer counts; the others say how sure that is.
  auto candidates = Vote(derivations, KindOf(work.question()), false);
  const auto first = std::find_if(derivations.begin(), derivations.end(),
                                  [](const Derivation& one) { return !one.value.empty(); });
  const auto index = static_cast<std::size_t>(first - derivations.begin());
  std::stable_partition(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
    return std::find(candidate.supporters.begin(), candidate.supporters.end(), index) !=
           candidate.supporters.end();
  });
  return Conclude(work, derivations, candidates);
}

}  // namespace

const Strategy kBeamStrategy = {"beam", "the likeliest derivations, searched step by step",
                                SolveBeam};

}  // namespace ergo::reasoning
