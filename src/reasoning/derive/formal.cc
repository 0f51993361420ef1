#include "reasoning/derive/formal.h"

#include <string>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/steps.h"
#include "reasoning/verify/arithmetic.h"

namespace ergo::reasoning {
namespace {

/// "What is 3 * (4 + 5)?", "Calculate 12% of 50."
std::optional<Derivation> SolveExpression(Work& work) {
  constexpr std::string_view kOpenings[] = {"What is ",     "Calculate ", "Compute ", "Evaluate ",
                                            "How much is ", "计算",       "请计算"};
  std::string_view text = work.question().text;
  bool asks = false;
  for (const std::string_view opening : kOpenings) {
    if (!text.starts_with(opening)) continue;
    text.remove_prefix(opening.size());
    asks = true;
    break;
  }
  if (!asks || !work.question().context.empty()) return std::nullopt;
  while (!text.empty() && (text.back() == '?' || text.back() == '.' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  const bool operates = text.find_first_of("+-*/^%(") != std::string_view::npos ||
                        text.find("×") != std::string_view::npos ||
                        text.find("÷") != std::string_view::npos;
  if (!operates) return std::nullopt;
  const auto value = ExactValueAfterEquals(std::string(text) + " =");
  if (!value) return std::nullopt;
  Derivation derivation;
  derivation.kind = DerivationKind::kFormal;
  derivation.text = std::string(text) + " = " + *value;
  derivation.value = CanonicalNumber(*value);
  RecordSteps(work, {}, &derivation);
  if (!derivation.confirmed()) return std::nullopt;
  return derivation;
}

}  // namespace

std::optional<Derivation> SolveFormally(Work& work) { return SolveExpression(work); }

}  // namespace ergo::reasoning
