// Running text, English or Chinese, LaTeX or plain, as the tokens that arithmetic is written in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/check.h"
#include "reasoning/verify/number.h"

namespace ergo::reasoning {

enum class TokenKind {
  kNumber,     ///< digits, words or Chinese numerals
  kWord,       ///< anything that is not in this list
  kOpaque,     ///< what arithmetic must not touch: "2x", "12:30", "a_1", "1.2.3", "f("
  kStop,       ///< end of a sentence or line
  kComma,      ///< , ， : ：
  kListComma,  ///< 、
  kOpen,
  kClose,
  kPlus,
  kMinus,
  kTimes,
  kOver,
  kPower,
  kPercent,
  kCurrency,
  kFactorial,
  kFraction,
  kRoot,
  kEquals,  ///< "=", "equals", 等于
  kApprox,  ///< "≈"
  kIs,      ///< "is", "makes", "gives", 是
  kAddUp,   ///< "add up to": the left side is a list
  kAbout,   ///< "about": before the number that is only near
  kOf,
  kAnd,
  kBy,
  kFrom,
  kTo,
  kMoreThan,
  kLessThan,
  kIncreasedBy,
  kDecreasedBy,
  kTwice,
  kThrice,
  kDozen,
  kSquared,
  kCubed,
  kEach,
  kSumOf,
  kDifferenceOf,
  kProductOf,
  kQuotientOf,
  kAverageOf,
  kSquareOf,
  kAdding,
  kSubtracting,
  kMultiplying,
  kDividing,
  kHalfOf,  ///< "half", 一半
  kDe,      ///< 的
  kThan,    ///< 比
  kMore,
  kLess,  ///< 多 少
  kFold,  ///< 倍
  kSumWord,
  kDifferenceWord,
  kProductWord,
  kQuotientWord,  ///< 和 差 积 商 after 的; 相加 …
  kShareInto,     ///< 平均分成
  kDoubt,         ///< "wrong", "not", 错: what is near it may be stated to be false
  kBreak,         ///< a word that no noun phrase contains: "and then", "so", "he"
};

struct Token {
  TokenKind kind = TokenKind::kWord;
  Span span;
  bool space_before = false;
  std::string text;       ///< of words: lower case
  Rational value = 0;     ///< of numbers
  int decimals = 0;       ///< digits after the point, of numbers in digits
  bool digits = false;    ///< a number in digits
  bool grouped = false;   ///< with thousands separators
  bool fraction = false;  ///< a number that takes "of": "two thirds", 六分之五
  bool percent = false;   ///< 百分之二十
  bool worded = false;    ///< an operator that is a word: "plus", 加
};

/// What is longer is not read.
inline constexpr std::size_t kMaxPhraseText = 64 * 1024;

/// The tokens of text[begin, end), with spans of `text`. "<<…>>" markers, fenced code and LaTeX
/// layout are left out. Never fails; bytes that are no UTF-8 become kOpaque.
std::vector<Token> Tokenize(std::string_view text, Span part);

/// The insides of calculator markers: "<<48/2=24>>".
std::vector<Span> FindMarkers(std::string_view text);

/// A Chinese numeral: "三十六", "一百零五", "二〇二四", "三点五", "两万". None if it is none.
std::optional<Rational> ChineseNumeral(std::string_view text);

}  // namespace ergo::reasoning
