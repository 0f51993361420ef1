// Python's view of characters: positions count code points, classes follow the Unicode tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ergo::tokenizer::jinja {

/// Byte offset of the code point `index`, or the size of `text` if it has fewer.
std::size_t OffsetOf(std::string_view text, std::size_t index);
/// Number of code points before the byte `offset`.
std::size_t IndexOf(std::string_view text, std::size_t offset);

bool IsSpace(std::uint32_t code_point);
/// Ends a line for splitlines().
bool IsLineBreak(std::uint32_t code_point);
bool IsPrintable(std::uint32_t code_point);
bool IsAlpha(std::uint32_t code_point);
bool IsDecimal(std::uint32_t code_point);
bool IsDigit(std::uint32_t code_point);
bool IsNumeric(std::uint32_t code_point);
bool IsUpper(std::uint32_t code_point);
bool IsLower(std::uint32_t code_point);
bool IsTitle(std::uint32_t code_point);
/// May be part of a word (the regular expression \w).
bool IsWord(std::uint32_t code_point);

/// Full case mappings: one character may become several.
std::string ToUpper(std::string_view text);
std::string ToLower(std::string_view text);
std::string CaseFold(std::string_view text);
std::string SwapCase(std::string_view text);
/// First character in title case, the rest in lower case.
std::string Capitalize(std::string_view text);
/// str.title(): every run of letters capitalized.
std::string TitleCase(std::string_view text);

/// `text` without white space, or without the characters of `chars`, at its ends.
enum class Side { kLeft, kRight, kBoth };
std::string_view Strip(std::string_view text, Side side);
std::string_view StripChars(std::string_view text, std::string_view chars, Side side);

}  // namespace ergo::tokenizer::jinja
