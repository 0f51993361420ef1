// Character classes as the reference tokenizers know them: Unicode 16.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ergo::tokenizer {

/// What the splitting rules ask about a character. Bits.
enum CharClass : std::uint8_t {
  kOther = 0,
  kLetter = 1,  ///< category L
  kNumber = 2,  ///< category N
  kSpace = 4,   ///< property White_Space
};

/// Class of a code point.
CharClass ClassOf(std::uint32_t code_point);

/// General category, numbered as utf8proc_category_t.
int CategoryOf(std::uint32_t code_point);

bool IsWhiteSpace(std::uint32_t code_point);

/// Category N: what "digits" means to the Digits pre-tokenizer.
inline bool IsNumeric(std::uint32_t code_point) { return ClassOf(code_point) == kNumber; }

/// What the Punctuation pre-tokenizer splits at.
bool IsPunctuation(std::uint32_t code_point);

/// Category M.
bool IsMark(std::uint32_t code_point);

/// A mark that the StripAccents normalizer removes.
bool IsAccent(std::uint32_t code_point);

/// A character that normal forms leave alone, though Unicode says otherwise: the reference's tables
/// are those of Unicode 9.
bool IsNewToNormalForms(std::uint32_t code_point);

/// The \w of Unicode regular expressions (UTS #18).
bool IsWordCharacter(std::uint32_t code_point);

/// Ranges in the syntax of a PCRE2 class ("\x{1C89}-\x{1C8A}…") of the characters that belong to a
/// general category ("L", "Lu") in Unicode 16 and perhaps not in the installed PCRE2.
std::string AddedRangesOf(std::string_view category);

}  // namespace ergo::tokenizer
