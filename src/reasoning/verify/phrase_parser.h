// Values of phrases: "3 x (4 + 5)", "half of 48 clips", "20% of $50", 36的六分之五.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reasoning/verify/number.h"
#include "reasoning/verify/phrase_token.h"
#include "reasoning/verify/units.h"

namespace ergo::reasoning {

/// A value with what is known of its unit. Words that are no units of measure ("apples") do not
/// take part.
struct Quantity {
  Rational plain = 0;   ///< the numbers as they stand
  Rational scaled = 0;  ///< the same in base units
  Rational scale = 1;   ///< scaled / plain, while no addition has mixed scales
  std::array<int, kDimensions> power = {};
  bool measured = false;     ///< has a known unit
  bool plain_valid = true;   ///< false: "2 hours + 30 minutes"
  bool scaled_valid = true;  ///< false: "2 hours + 3 km"
};

/// How per cent signs, and dozens, are to be read.
enum class Reading {
  kPart,      ///< 20% = 1/5
  kPlain,     ///< 20% = 20, as in "15/60 * 100 = 25%"
  kRelative,  ///< 50 + 20% = 50 * 1.2
  kUnits,     ///< 20% = 1/5, and "dozen" is a unit like any noun: "84/12 = 7 dozen"
};

struct PhraseValue {
  Quantity quantity;
  std::size_t end = 0;       ///< first token behind it
  bool operation = false;    ///< something was computed
  bool relation = false;     ///< of the kind that words say: "half of", "3 dozen"
  bool percent = false;      ///< has a per cent sign
  bool all_percent = false;  ///< a sum of percentages
  bool hundredths = false;   ///< a literal percentage, divided by 100
  bool dozen = false;
  bool literal = false;   ///< one number in digits
  bool part = false;      ///< one proper fraction or percentage that may be of something
  bool doubtful = false;  ///< holds a letter that may be a unit or a variable
  bool currency = false;
  bool grouped = false;
  int decimals = 0;   ///< most digits after a point
  std::string label;  ///< the first word behind a number that is no unit
};

class PhraseParser {
 public:
  PhraseParser(std::span<const Token> tokens, Reading mode) : tokens_(tokens), mode_(mode) {}

  /// The longest phrase that begins at that token. None if none does, or it is too large.
  std::optional<PhraseValue> Parse(std::size_t begin);
  /// Only the first operand: "24" of "24 - 3".
  std::optional<PhraseValue> ParseOperand(std::size_t begin);
  /// The sum of "12, 30 and 5".
  std::optional<PhraseValue> ParseList(std::size_t begin);

  /// Work that is left over all calls.
  void set_steps(std::size_t steps) { steps_ = steps; }

 private:
  using Value = std::optional<PhraseValue>;
  class Level;

  Value Relation();
  Value Sum();
  Value Term();
  Value Divisor();
  Value Factor();
  Value Postfix();
  Value Primary();
  Value NumberPhrase();
  Value Compound(const PhraseValue& value);
  Value Group();
  Value LatexFraction();
  Value Root();
  Value Prefix(TokenKind kind);
  Value ListOf(TokenKind kind);
  Value ComparedWith();
  Value Imperative(TokenKind kind);
  bool PartOf(PhraseValue* value);
  bool ChinesePostfix(PhraseValue* value);
  bool ChineseOf(PhraseValue* value);
  bool ChinesePair(PhraseValue* value);
  void Label(PhraseValue* value);
  void SkipDeterminers();
  void Measure(PhraseValue* value, const Unit& unit, bool per);

  bool Is(TokenKind kind, std::size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() && tokens_[at_ + ahead].kind == kind;
  }
  bool Take(TokenKind kind) {
    if (!Is(kind)) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (at_ >= tokens_.size() || tokens_[at_].text != word) return false;
    ++at_;
    return true;
  }
  Value Finish(Value value) const {
    if (value) value->end = at_;
    return value;
  }

  std::span<const Token> tokens_;
  Reading mode_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t steps_ = 20000;
};

void SetValue(PhraseValue* value, const Rational& number);
PhraseValue Constant(const Rational& number);

/// Arithmetic on values; none for a division by zero and for what is too large.
std::optional<PhraseValue> Add(const PhraseValue& a, const PhraseValue& b, bool minus);
std::optional<PhraseValue> Multiply(const PhraseValue& a, const PhraseValue& b, bool over);

}  // namespace ergo::reasoning
