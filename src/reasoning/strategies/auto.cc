// Chooses by the question, and spends more only while what was found disagrees.
#include <algorithm>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/code.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/formal/formal.h"
#include "reasoning/sandbox/sandbox.h"
#include "reasoning/strategies/list.h"
#include "reasoning/strategies/running_quantity.h"
#include "reasoning/strategies/samples.h"

namespace ergo::reasoning {
namespace {

/// Votes by which the first answer must lead the second before nothing more is drawn.
constexpr double kLead = 3.0;
constexpr double kAgreed = 1.5;  ///< of a chain and a program that agree at once
constexpr std::size_t kUnboundedRounds = 4;
/// Programs take a quarter of a chain's tokens.
constexpr std::size_t kProgramsPerRound = 2;
constexpr std::size_t kChainsPerRound = 2;
constexpr std::size_t kCodesPerRound = 3;
constexpr std::size_t kChainTokens = 384;
/// With less than this for each, chains are cut off before they come to an answer.
constexpr std::size_t kLeastChainTokens = 300;

/// How far the heaviest value is ahead, in votes.
double Lead(const std::vector<Derivation>& derivations, AnswerKind kind) {
  const auto candidates = Vote(derivations, kind, true);
  if (candidates.empty()) return 0.0;
  return candidates[0].mass - (candidates.size() > 1 ? candidates[1].mass : 0.0);
}

/// Different kinds of derivation came to the heaviest value.
bool KindsAgree(const std::vector<Derivation>& derivations, AnswerKind kind) {
  const auto candidates = Vote(derivations, kind, true);
  if (candidates.empty()) return false;
  bool chain = false;
  bool program = false;
  for (const std::size_t i : candidates.front().supporters) {
    (derivations[i].kind == DerivationKind::kProgram ? program : chain) = true;
  }
  return chain && program;
}

/// Programs until one passes all examples that the question gives.
Result<Answer> SolveCode(Work& work) {
  std::vector<Derivation> derivations;
  const bool bounded = work.budget().tokens_left() != Limits::kNoLimit;
  const bool tested = !ExamplesIn(work.question().text).empty();
  for (std::size_t number = 0; !work.budget().Exhausted(); ++number) {
    const Status drawn = DeriveStage(work, "program", &derivations, [&] {
      return DrawCode(work, number == 0 ? 1 : kCodesPerRound,
                      number == 0 ? 0.0f : work.settings().temperature);
    });
    if (!drawn) return tl::unexpected(drawn.error());
    const bool passed = std::any_of(derivations.begin(), derivations.end(),
                                    [](const Derivation& one) { return one.confirmed(); });
    if (passed || !tested || (!bounded && number + 1 >= kUnboundedRounds)) break;
  }
  return Conclude(work, derivations, Vote(derivations, AnswerKind::kCode, true));
}

/// As many chains as a round may draw and the budget allows to end.
std::size_t ChainsFor(Work& work) {
  return SamplesFor(
      work, {.tokens = kLeastChainTokens, .unbounded = kChainsPerRound, .most = kChainsPerRound});
}

Status Round(Work& work, bool programs, std::size_t number, std::vector<Derivation>* derivations) {
  const float temperature = number == 0 ? 0.0f : work.settings().temperature;
  Status status;
  if (programs) {
    status = DeriveStage(work, "program", derivations, [&] {
      return DrawPrograms(work, number == 0 ? 1 : kProgramsPerRound, temperature);
    });
  }
  const Status chains = DeriveStage(work, "derive", derivations, [&] {
    return DrawChains(work, {.count = number == 0 ? 1 : ChainsFor(work),
                             .temperature = temperature,
                             .max_tokens = kChainTokens,
                             .exact_values = true});
  });
  return chains ? chains : status;
}

Result<Answer> SolveAuto(Work& work) {
  const AnswerKind kind = KindOf(work.question());
  std::vector<Derivation> derivations;
  static_cast<void>(work.Stage("formal", {}, [&]() -> Status {
    auto formal = SolveFormally(work);
    if (!formal) formal = SolveRestated(work);
    if (formal) derivations.push_back(*std::move(formal));
    return {};
  }));
  if (!derivations.empty()) return Conclude(work, derivations, Vote(derivations, kind, true));

  if (kind == AnswerKind::kCode) return SolveCode(work);
  if (auto story = SolveRunningQuantity(work)) {
    derivations.push_back(*std::move(story));
    return Conclude(work, derivations, Vote(derivations, kind, true));
  }

  const bool sampled =
      kind == AnswerKind::kNumber || kind == AnswerKind::kMath || kind == AnswerKind::kChoice;
  const bool programs = kind == AnswerKind::kNumber && SandboxAvailable().has_value();
  const bool bounded = work.budget().tokens_left() != Limits::kNoLimit;
  for (std::size_t number = 0; !work.budget().Exhausted(); ++number) {
    const Status drawn = Round(work, programs, number, &derivations);
    if (!drawn) return tl::unexpected(drawn.error());
    if (!sampled || (!bounded && number + 1 >= kUnboundedRounds)) break;
    const double lead = Lead(derivations, kind);
    if (lead >= kLead || (number == 0 && KindsAgree(derivations, kind) && lead >= kAgreed)) break;
  }
  return Conclude(work, derivations, Vote(derivations, kind, true));
}

}  // namespace

const Strategy kAutoStrategy = {
    "auto", "chooses by the question, and goes on only while derivations disagree", SolveAuto};

}  // namespace ergo::reasoning
