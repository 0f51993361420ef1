// How JSON is written: strings, numbers, spacing, and values of any kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "generate/constrain/compile.h"
#include "generate/constrain/expression.h"

namespace ergo::generate::constrain {

/// `text` between the quotes of a JSON string, in the spelling of Spelling::kJson.
std::string JsonEscaped(std::string_view text);

/// The parts of JSON texts as expressions. Parts that many places share are rules, made when they
/// are first asked for.
class JsonText {
 public:
  JsonText(Expressions* expressions, JsonSpacing spacing);

  /// What may stand after an opening bracket and before a closing one.
  ExprId gap() const { return gap_; }
  ExprId comma() const { return comma_; }  ///< with what may follow it
  ExprId colon() const { return colon_; }  ///< with what may follow it

  /// One character of a string, however JSON may spell it.
  ExprId StringChar();
  ExprId AnyString();
  ExprId AnyNumber();
  ExprId AnyInteger();
  ExprId AnyObject();
  ExprId AnyArray();
  ExprId AnyValue();

  /// A string with this text.
  ExprId String(std::string_view text);
  /// `inner` between quotes.
  ExprId Quoted(ExprId inner);
  /// A given value; members in its order.
  ExprId Value(const OrderedJson& value);

 private:
  ExprId Shared(std::optional<RuleId>* rule, ExprId (JsonText::*make)());
  ExprId MakeString();
  ExprId MakeNumber();
  ExprId MakeInteger();
  ExprId MakeObject();
  ExprId MakeArray();
  ExprId MakeValue();
  ExprId Between(char open, ExprId item, char close);

  Expressions& expressions_;
  ExprId gap_ = Expressions::kEmptyExpr;
  ExprId comma_ = Expressions::kEmptyExpr;
  ExprId colon_ = Expressions::kEmptyExpr;
  std::optional<ExprId> char_;
  std::optional<RuleId> string_;
  std::optional<RuleId> number_;
  std::optional<RuleId> integer_;
  std::optional<RuleId> object_;
  std::optional<RuleId> array_;
  std::optional<RuleId> value_;
};

/// A bound of a range of numbers.
struct Bound {
  OrderedJson value;  ///< a number
  bool inclusive = true;
};

struct NumberRange {
  std::optional<Bound> low = {};
  std::optional<Bound> high = {};
  std::vector<OrderedJson> multiples = {};  ///< multipleOf
  bool integer = false;

  bool bounded() const { return low || high || !multiples.empty(); }
};

/// Numbers in a range, written without exponents. Errors: bounds of more than 30 digits, multiples
/// that are neither integers up to 10,000 nor powers of ten.
Result<ExprId> NumbersIn(const NumberRange& range, const std::string& where,
                         Expressions* expressions);

/// The regular expression (compile.h) of a `format`; none if it isn't known.
std::optional<std::string_view> FormatPattern(std::string_view format);

}  // namespace ergo::generate::constrain
