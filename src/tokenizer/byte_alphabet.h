// The alphabet in which byte-level vocabularies are written: every byte is one printable character.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ergo::tokenizer {

/// The character of a byte: itself where it is printable Latin-1, otherwise one of U+0100…U+0143.
/// (The scheme of GPT-2's encoder.)
std::uint32_t AlphabetChar(std::uint8_t byte);

/// The byte of a character, if it belongs to the alphabet.
std::optional<std::uint8_t> AlphabetByte(std::uint32_t code_point);

/// `bytes` written in the alphabet.
void AppendInAlphabet(std::string_view bytes, std::string* out);

/// The bytes that `text` stands for; false, and `out` untouched, when a character is not of the
/// alphabet.
bool AppendFromAlphabet(std::string_view text, std::string* out);

}  // namespace ergo::tokenizer
