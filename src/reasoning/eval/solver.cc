#include "reasoning/eval/solver.h"

#include "reasoning/derive/answer_value.h"
#include "reasoning/formal/formal.h"
#include "reasoning/stage/work.h"

namespace ergo::reasoning::eval {
namespace {

/// Answers nothing.
class NoModel final : public TextModel {
 public:
  std::string name() const override { return std::string(kSolverName); }
  std::string hash() const override { return {}; }
  std::string family() const override { return {}; }
  Result<BranchPtr> Begin(const Prompt& /*prompt*/) override { return None(); }
  void ContinueEach(std::vector<Continuation> continuations, const HearDrawn& hear,
                    const std::function<bool()>& /*cancelled*/) override {
    for (std::size_t i = 0; i < continuations.size(); ++i) hear(i, None());
  }
  Result<std::vector<double>> Score(const BranchPtr& /*from*/,
                                    std::span<const std::string> /*texts*/) override {
    return None();
  }

 private:
  static tl::unexpected<Error> None() { return Fail("there is no model", "solver"); }
};

}  // namespace

std::optional<Answer> SolveWithoutModel(const Question& question) {
  NoModel model;
  const SolveSettings settings;
  Recorder trace{Trace()};
  Budget budget(settings.limits);
  Work work(model, question, settings, trace, budget);
  const auto derivation = SolveFormally(work);
  if (!derivation || derivation->kind != DerivationKind::kFormal) return std::nullopt;
  Answer answer = Conclude(work, {*derivation}, Vote({*derivation}, KindOf(question), true));
  answer.confidence = 1.0;
  return answer;
}

}  // namespace ergo::reasoning::eval
