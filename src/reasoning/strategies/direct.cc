// One derivation, the likeliest token at each place.
#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostTokens = 1024;

Result<Answer> SolveDirect(Work& work) {
  std::vector<Derivation> derivations;
  const Status drawn = DeriveStage(work, "derive", &derivations, [&] {
    return DrawChains(work, {.count = 1, .temperature = 0.0f, .max_tokens = kMostTokens});
  });
  if (!drawn) return tl::unexpected(drawn.error());
  return Conclude(work, derivations, Vote(derivations, KindOf(work.question()), false));
}

}  // namespace

const Strategy kDirectStrategy = {"direct", "one derivation, nothing compared", SolveDirect};

}  // namespace ergo::reasoning
