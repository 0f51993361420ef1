// Self-consistency: several derivations, each with one vote (Wang et al. 2022).
#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

Result<Answer> SolveMajority(Work& work) {
  const std::size_t count = SamplesFor(work, {});
  std::vector<Derivation> derivations;
  const Status drawn = DeriveStage(work, "derive", &derivations, [&] {
    return DrawChains(work, {.count = count, .temperature = work.settings().temperature});
  });
  if (!drawn) return tl::unexpected(drawn.error());
  return Conclude(work, derivations, Vote(derivations, KindOf(work.question()), false));
}

}  // namespace

const Strategy kMajorityStrategy = {"majority", "several derivations, each with one vote",
                                    SolveMajority};

}  // namespace ergo::reasoning
