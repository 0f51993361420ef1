// Programs that compute the answer, run in a sandbox, with a vote among their results.
#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

Result<Answer> SolveByProgram(Work& work) {
  const std::size_t count = SamplesFor(work, {.tokens = 80, .unbounded = 8, .most = 32});
  std::vector<Derivation> derivations;
  const Status drawn = DeriveStage(work, "program", &derivations, [&] {
    return DrawPrograms(work, count, count > 1 ? work.settings().temperature : 0.0f);
  });
  if (!drawn) return tl::unexpected(drawn.error());
  return Conclude(work, derivations, Vote(derivations, KindOf(work.question()), false));
}

}  // namespace

const Strategy kProgramStrategy = {"program", "writes programs and runs them in a sandbox",
                                   SolveByProgram};

}  // namespace ergo::reasoning
