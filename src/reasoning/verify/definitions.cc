#include "reasoning/verify/definitions.h"

#include <algorithm>
#include <array>

#include "reasoning/verify/arithmetic.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 16;
constexpr std::size_t kMostName = 80;

/// What surrounds an equation on its line and says nothing.
constexpr std::array<std::string_view, 14> kMarkup = {
    "\\[", "\\]", "\\(", "\\)", "\\\\", "$$", "&", "**", "- ", "* ", " ", "\t", "\r", "."};

std::string_view WithoutMarkup(std::string_view text) {
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view mark : kMarkup) {
      if (text.starts_with(mark) && mark != ".") {
        text.remove_prefix(mark.size());
        found = true;
      }
      if (text.ends_with(mark)) {
        text.remove_suffix(mark.size());
        found = true;
      }
    }
  }
  return text;
}

/// One line that is an equation and nothing else.
struct Equation {
  std::string_view name;  ///< empty: it goes on from the one before
  std::string_view right;
  Span span;
};

/// Words of letters, not a calculation.
bool IsName(std::string_view text) {
  if (text.size() > kMostName) return false;
  const bool letters = std::any_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
  });
  const bool computes = text.find_first_of("0123456789+*/^=<>|:") != std::string_view::npos;
  return letters && !computes && text.find("\\times") == std::string_view::npos &&
         text.find("\\frac") == std::string_view::npos;
}

std::optional<Equation> EquationIn(std::string_view line, std::size_t begin) {
  const std::size_t sign = line.find('=');
  if (sign == std::string_view::npos) return std::nullopt;
  Equation equation;
  equation.name = WithoutMarkup(line.substr(0, sign));
  equation.right = WithoutMarkup(line.substr(sign + 1));
  equation.span = {begin, begin + line.size()};
  if (!equation.name.empty() && !IsName(equation.name)) return std::nullopt;
  return equation;
}

/// All of them in order; a line with other words between two ends what the first one's names mean
/// for the next, and gives an equation without a right side.
std::vector<Equation> EquationsOf(std::string_view text) {
  std::vector<Equation> equations;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (auto equation = EquationIn(line, at)) {
      equations.push_back(*equation);
    } else if (!WithoutMarkup(line).empty()) {
      equations.push_back({});
    }
    at = end + 1;
  }
  return equations;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.,") == std::string_view::npos;
}

/// No value of its own, and more than a lone number.
bool IsCalculation(std::string_view text) {
  return !text.empty() && text.find('=') == std::string_view::npos && !IsNumber(text);
}

}  // namespace

std::optional<std::string> CalculationBefore(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (!text.ends_with('=')) return std::nullopt;
  if (text.size() > kMostBytes) text.remove_prefix(text.size() - kMostBytes);
  const auto equations = EquationsOf(text);
  if (equations.empty() || !equations.back().right.empty()) return std::nullopt;
  const Equation& open = equations.back();
  if (open.span.end == 0 ||
      text.substr(open.span.begin).find('=') + 1 != text.size() - open.span.begin)
    return std::nullopt;
  for (std::size_t i = equations.size() - 1; i-- > 0;) {
    const Equation& earlier = equations[i];
    if (open.name.empty() && earlier.right.empty()) return std::nullopt;
    if (!open.name.empty() && earlier.name != open.name) continue;
    const std::size_t last = earlier.right.rfind('=');
    if (last != std::string_view::npos) return std::nullopt;
    return std::string(earlier.right);
  }
  return std::nullopt;
}

std::vector<Finding> DefinitionCheck::Run(const CheckInput& input) const {
  std::vector<Finding> findings;
  const auto equations = EquationsOf(input.text.substr(0, kMostBytes));
  for (std::size_t i = 1; i < equations.size() && CheckInput::Clock::now() < input.until; ++i) {
    const Equation& before = equations[i - 1];
    const Equation& now = equations[i];
    if (!now.name.empty() && now.name != before.name) continue;
    if (!IsCalculation(before.right) || !IsNumber(now.right)) continue;
    CheckInput claim = input;
    const std::string joined = std::string(before.right) + " = " + std::string(now.right);
    claim.text = joined;
    auto found = ArithmeticCheck().Run(claim);
    if (found.size() != 1 || found[0].span.end != joined.size()) continue;
    found[0].method = name();
    found[0].span = now.span;
    findings.push_back(std::move(found[0]));
  }
  return findings;
}

}  // namespace ergo::reasoning
