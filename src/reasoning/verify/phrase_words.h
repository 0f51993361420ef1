// The words of arithmetic, English and Chinese: a step of Tokenize().
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "reasoning/verify/phrase_token.h"

namespace ergo::reasoning {

struct ChineseWord {
  TokenKind kind = TokenKind::kWord;
  std::size_t bytes = 0;
};
/// The longest entry of the lexicon that `text` starts with.
std::optional<ChineseWord> LongestChineseWord(std::string_view text);

struct ChineseNumber {
  Rational value = 0;
  std::size_t bytes = 0;
};
/// The longest numeral that `text` starts with.
std::optional<ChineseNumber> ChineseNumberAt(std::string_view text);

/// Joins words to numbers ("twenty five", "3 million", 百分之二十), operators ("divided by") and
/// connectives ("is equal to"), in place.
void MergePhrases(std::vector<Token>* tokens);

}  // namespace ergo::reasoning
