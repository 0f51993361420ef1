#include "reasoning/verify/algebra_check.h"

#include <algorithm>
#include <string>

#include "reasoning/verify/algebra.h"
#include "reasoning/verify/formula.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxText = 16 * 1024;
constexpr std::size_t kMaxEquations = 64;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Equation {
  Span span;
  FormulaPtr left;
  FormulaPtr right;
  std::vector<std::string> symbols;
};

// Whether a word of two letters or more, no command, starts there; a step of a formula does not.
std::size_t WordLength(std::string_view text, std::size_t at) {
  if (!IsLetter(text[at]) || (at > 0 && (IsLetter(text[at - 1]) || text[at - 1] == '\\'))) return 0;
  std::size_t end = at;
  while (end < text.size() && IsLetter(text[end])) ++end;
  return end - at;
}

bool InFormula(char c) {
  return IsLetter(c) || (c >= '0' && c <= '9') ||
         std::string_view(" +-*/^(){}.\\=_").find(c) != std::string_view::npos;
}

/// Runs of formula characters without words.
std::vector<Span> Runs(std::string_view text) {
  std::vector<Span> runs;
  std::size_t begin = 0;
  const auto close = [&](std::size_t end) {
    if (end > begin && text.substr(begin, end - begin).find('=') != text.npos) {
      runs.push_back({begin, end});
    }
  };
  for (std::size_t i = 0; i < text.size();) {
    // A command is part of the formula with its letters.
    if (text[i] == '\\') {
      ++i;
      while (i < text.size() && IsLetter(text[i])) ++i;
      continue;
    }
    const std::size_t word = WordLength(text, i);
    const bool stop = text[i] == '.' && (i + 1 == text.size() || text[i + 1] == ' ');
    const bool article = word == 1 && text[i] == 'a' && i > 0 && i + 2 < text.size() &&
                         text[i - 1] == ' ' && text[i + 1] == ' ' && IsLetter(text[i + 2]);
    const bool product = word == 2 && i > 0 && (text[i - 1] >= '0' && text[i - 1] <= '9');
    const bool letters = word == 2 && i + 2 < text.size() &&
                         std::string_view("=+^)").find(text[i + 2]) != std::string_view::npos;
    if ((word >= 2 && !product && !letters) || article || stop || !InFormula(text[i])) {
      close(i);
      i += std::max<std::size_t>(1, word);
      begin = i;
      continue;
    }
    ++i;
  }
  close(text.size());
  return runs;
}

std::vector<Equation> FindEquations(std::string_view text) {
  std::vector<Equation> equations;
  for (const Span& run : Runs(text)) {
    const std::string_view part = text.substr(run.begin, run.end - run.begin);
    FormulaPtr left;
    std::size_t from = 0;
    std::size_t left_from = 0;
    while (from <= part.size() && equations.size() < kMaxEquations) {
      const std::size_t sign = std::min(part.find('=', from), part.size());
      const FormulaPtr side = ParseFormula(part.substr(from, sign - from));
      if (left && side) {
        Equation equation{{run.begin + left_from, run.begin + sign}, left, side, {}};
        equation.symbols = Symbols(*MakeFormula(FormulaKind::kTuple, {left, side}));
        equations.push_back(std::move(equation));
      }
      left = side;
      left_from = from;
      from = sign + 1;
    }
  }
  for (Equation& equation : equations) {
    while (equation.span.begin < equation.span.end && text[equation.span.begin] == ' ') {
      ++equation.span.begin;
    }
    while (equation.span.end > equation.span.begin &&
           (text[equation.span.end - 1] == ' ' || text[equation.span.end - 1] == '.')) {
      --equation.span.end;
    }
  }
  return equations;
}

bool IsAssignment(const Equation& equation) {
  return equation.left->kind == FormulaKind::kSymbol && Symbols(*equation.right).empty();
}

// "Expand", "simplify" and the like, shortly before the equation.
bool SaysIdentity(std::string_view text, std::size_t begin) {
  const std::size_t from = begin > 40 ? begin - 40 : 0;
  std::string_view before = text.substr(from, begin - from);
  const std::size_t other = before.find_last_of(".=;\n");
  if (other != before.npos) before = before.substr(other + 1);
  const auto says = [&](std::string_view word) { return before.find(word) != before.npos; };
  return says("xpand") || says("implif") || says("actor") || says("dentity") || says("展开") ||
         says("化简");
}

bool HasFunction(const Formula& formula) {
  return formula.kind == FormulaKind::kFunction ||
         std::any_of(formula.parts.begin(), formula.parts.end(),
                     [](const FormulaPtr& part) { return HasFunction(*part); });
}

bool IsProductOfSums(const Formula& formula) {
  const bool joins = formula.kind == FormulaKind::kPower || formula.kind == FormulaKind::kProduct;
  return joins &&
         std::any_of(formula.parts.begin(), formula.parts.end(), [](const FormulaPtr& part) {
           return part->kind == FormulaKind::kSum || IsProductOfSums(*part);
         });
}

// A product that is written out, or a sum that is factored, in the same symbols.
bool MayBeIdentity(const Equation& equation) {
  const Formula& a = *equation.left;
  const Formula& b = *equation.right;
  return !HasFunction(a) && !HasFunction(b) && Symbols(a) == Symbols(b) &&
         IsProductOfSums(a) != IsProductOfSums(b) &&
         (a.kind == FormulaKind::kSum || b.kind == FormulaKind::kSum);
}

Finding Make(Verdict verdict, const Span& span, std::string reason) {
  Finding finding;
  finding.verdict = verdict;
  finding.exact = true;
  finding.method = "algebra";
  finding.semantics = "rational functions";
  finding.reason = std::move(reason);
  finding.span = span;
  return finding;
}

FormulaPtr Zero(const Equation& equation) {
  return MakeFormula(FormulaKind::kSum,
                     {equation.left, MakeFormula(FormulaKind::kNegation, {equation.right})});
}

// The roots, if they are rational and few.
std::string RootsText(const Equation& equation, const std::string& symbol) {
  const auto coefficients = Coefficients(*Zero(equation), symbol);
  const auto roots = coefficients ? PolynomialRoots(*coefficients) : std::nullopt;
  if (!roots) return {};
  std::string text;
  for (const FormulaPtr& root : *roots) {
    if (root->kind != FormulaKind::kNumber) return {};
    text += (text.empty() ? "" : ", ") + Text(root->value);
  }
  return text;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), equations_(FindEquations(text)) {}

  std::vector<Finding> Run(std::chrono::steady_clock::time_point until) const {
    std::vector<Finding> findings;
    for (std::size_t i = 0; i < equations_.size(); ++i) {
      if (std::chrono::steady_clock::now() >= until) break;
      if (IsAssignment(equations_[i]))
        Solution(i, &findings);
      else if (!equations_[i].symbols.empty())
        Identity(equations_[i], &findings);
    }
    return findings;
  }

 private:
  std::string Slice(const Span& span) const {
    return std::string(text_.substr(span.begin, span.end - span.begin));
  }

  void Solution(std::size_t i, std::vector<Finding>* findings) const {
    const Equation& claim = equations_[i];
    const std::string& symbol = claim.left->name;
    for (std::size_t j = i; j-- > 0;) {
      const Equation& equation = equations_[j];
      if (equation.symbols != std::vector<std::string>{symbol}) continue;
      if (IsAssignment(equation)) {
        // "x = 2 or x = 3": both belong to the equation before them.
        continue;
      }
      // Between them no new question may begin.
      const std::string_view between =
          text_.substr(equation.span.end, claim.span.begin - equation.span.end);
      const bool other =
          between.find("if ") != between.npos || between.find("when ") != between.npos ||
          between.find("let ") != between.npos || between.find("Let ") != between.npos;
      if (other || between.size() > 200) return;
      const Sameness same = CompareExpressions(*Substitute(equation.left, symbol, claim.right),
                                               *Substitute(equation.right, symbol, claim.right));
      if (same == Sameness::kSame) {
        findings->push_back(Make(Verdict::kVerified, claim.span,
                                 Slice(claim.span) + " satisfies " + Slice(equation.span) + "."));
      } else if (same == Sameness::kDifferent) {
        Finding finding =
            Make(Verdict::kRefuted, claim.span,
                 Slice(claim.span) + " does not satisfy " + Slice(equation.span) + ".");
        finding.value = RootsText(equation, symbol);
        // A function's definition is no equation to solve; only what has roots is.
        finding.exact = !finding.value.empty();
        if (finding.exact) findings->push_back(std::move(finding));
      }
      return;
    }
  }

  void Identity(const Equation& equation, std::vector<Finding>* findings) const {
    if (equation.left->kind == FormulaKind::kSymbol || Symbols(*equation.left).empty() ||
        Symbols(*equation.right).empty()) {
      return;
    }
    const Sameness same = CompareExpressions(*equation.left, *equation.right);
    if (same == Sameness::kSame) {
      findings->push_back(
          Make(Verdict::kVerified, equation.span, Slice(equation.span) + " holds for all values."));
    } else if (same == Sameness::kDifferent && MayBeIdentity(equation) &&
               SaysIdentity(text_, equation.span.begin)) {
      findings->push_back(Make(Verdict::kRefuted, equation.span,
                               Slice(equation.span) + " does not hold for all values."));
    }
  }

  std::string_view text_;
  std::vector<Equation> equations_;
};

}  // namespace

std::vector<Finding> AlgebraCheck::Run(const CheckInput& input) const {
  return Reader(input.text.substr(0, kMaxText)).Run(input.until);
}

}  // namespace ergo::reasoning
