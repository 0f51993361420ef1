#include "reasoning/derive/step_draw.h"

#include <algorithm>
#include <utility>

namespace ergo::reasoning {
namespace {

std::vector<Place> DrawFrom(Work& work, std::span<const Place> places, const StepDraw& draw,
                            const std::vector<std::string>& stop) {
  std::vector<Continuation> continuations;
  for (const Place& place : places) {
    for (std::size_t i = 0; i < draw.width; ++i) {
      Continuation continuation;
      continuation.from = place.branch;
      continuation.draw.max_tokens = draw.max_tokens;
      continuation.draw.temperature = draw.temperature;
      continuation.draw.seed = work.NextSeed();
      continuation.draw.stop = stop;
      continuation.draw.logprobs = true;
      continuations.push_back(std::move(continuation));
    }
  }
  auto results = work.Continue(std::move(continuations));
  std::vector<Place> drawn(results.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i] || results[i]->tokens == 0) continue;
    const Place& from = places[i / draw.width];
    Place& place = drawn[i];
    place.branch = results[i]->branch;
    // What the branch says beyond its origin: with the line end that stopped it.
    place.text = from.text + std::string(place.branch->text().substr(from.branch->text().size()));
    place.tokens = from.tokens;
    place.tokens.insert(place.tokens.end(), results[i]->logprobs.begin(),
                        results[i]->logprobs.end());
    place.ended = results[i]->end == DrawEnd::kEnd;
  }
  return drawn;
}

}  // namespace

std::vector<Place> DrawSteps(Work& work, std::span<const Place> places, const StepDraw& draw) {
  return DrawFrom(work, places, draw, {"\n"});
}

std::vector<Place> DrawCompletions(Work& work, std::span<const Place> places,
                                   const StepDraw& draw) {
  return DrawFrom(work, places, draw, {});
}

}  // namespace ergo::reasoning
