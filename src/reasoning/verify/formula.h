// Formulas, LaTeX or plain, as trees: what algebra and answers are read into.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/number.h"

namespace ergo::reasoning {

enum class FormulaKind {
  kNumber,
  kSymbol,
  kSum,
  kProduct,
  kQuotient,
  kPower,
  kNegation,
  kFunction,   ///< name: "sin", "sqrt", "abs", "f", "log", "!"; parts are arguments
  kPlusMinus,  ///< parts: left (may be 0) and right
  kTuple,      ///< (a, b)
  kInterval,   ///< with at least one square bracket; name: "[)", "(]", "[]"
  kSet,        ///< \{a, b\}
  kUnion,
  kIntersection,
  kList,      ///< a, b
  kMatrix,    ///< parts: rows, each a kTuple
  kRelation,  ///< a = b, a < b < c; name: the signs, apart by spaces
  kText,
};

struct Formula;
using FormulaPtr = std::shared_ptr<const Formula>;

struct Formula {
  FormulaKind kind = FormulaKind::kNumber;
  Rational value = 0;    ///< of numbers
  int decimals = 0;      ///< of numbers: digits after the point
  bool percent = false;  ///< of numbers: 28%, whose value is 28
  std::string name = {};
  std::vector<FormulaPtr> parts = {};
};

/// Reads one formula: numbers, one-letter symbols (with indices), \frac, \sqrt, functions, ±,
/// tuples, intervals, sets, matrices, relations, lists. Units and \text{} behind a value are left
/// out. At most 4,000 bytes, 2,000 nodes and 60 levels; none for what does not parse as a whole.
FormulaPtr ParseFormula(std::string_view text);

/// The names of all symbols, sorted.
std::vector<std::string> Symbols(const Formula& formula);

/// With every occurrence of the symbol replaced.
FormulaPtr Substitute(const FormulaPtr& formula, const std::string& symbol, const FormulaPtr& by);

FormulaPtr MakeNumber(Rational value);
FormulaPtr MakeFormula(FormulaKind kind, std::vector<FormulaPtr> parts, std::string name = {});

/// Layout taken away and signs written one way; for comparing texts and for ParseFormula.
std::string NormalizeLatex(std::string_view text);

}  // namespace ergo::reasoning
