// Questions that spell out a calculation.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "reasoning/decompose/goals.h"
#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/steps.h"
#include "reasoning/formal/formal.h"
#include "reasoning/verify/arithmetic.h"

namespace ergo::reasoning {
namespace {

/// "Add 5." -> "+ 5"
std::optional<std::string> ChangeOf(std::string_view sentence) {
  struct Form {
    std::string_view opening;
    std::string_view sign;
  };
  constexpr std::array kForms = {
      Form{"Add ", "+ "},       Form{"Subtract ", "- "}, Form{"Multiply by ", "* "},
      Form{"Divide by ", "/ "}, Form{"加上", "+ "},      Form{"减去", "- "},
      Form{"乘以", "* "},       Form{"除以", "/ "},
  };
  for (const Form& form : kForms) {
    if (!sentence.starts_with(form.opening)) continue;
    std::string_view number = sentence.substr(form.opening.size());
    const std::size_t end = number.find_first_not_of("0123456789.");
    std::string_view rest = end == std::string_view::npos ? "" : number.substr(end);
    number = number.substr(0, end);
    while (!number.empty() && number.back() == '.') number.remove_suffix(1);
    if (number.empty() || (!rest.empty() && rest != "." && rest != "。")) return std::nullopt;
    return std::string(form.sign) + std::string(number);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Derivation> SolveExpression(Work& work) {
  constexpr std::array<std::string_view, 7> kOpenings = {
      "What is ", "Calculate ", "Compute ", "Evaluate ", "How much is ", "请计算", "计算"};
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
  derivation.text = std::string(text) + " = " + *value;
  derivation.value = CanonicalNumber(*value);
  RecordSteps(work, {}, &derivation);
  if (!derivation.confirmed()) return std::nullopt;
  return derivation;
}

std::optional<Derivation> SolveInstructions(Work& work) {
  const auto story = AsRunningQuantity(work.question().text);
  if (!story || !work.question().context.empty()) return std::nullopt;
  Derivation derivation;
  std::string value = story->start;
  for (const std::string& event : story->events) {
    const auto change = ChangeOf(event);
    if (!change) return std::nullopt;
    const std::string calculation = value + " " + *change;
    const auto exact = ExactValueAfterEquals(calculation + " =");
    if (!exact) return std::nullopt;
    derivation.text += fmt::format("{} = {}\n", calculation, *exact);
    value = *exact;
  }
  derivation.value = CanonicalNumber(value);
  RecordSteps(work, {}, &derivation);
  if (!derivation.confirmed()) return std::nullopt;
  return derivation;
}

}  // namespace ergo::reasoning
