// UTF-8: checking, decoding and repair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ergo {

/// One decoded character: its code point and how many bytes it took.
/// Invalid bytes decode as U+FFFD, one for each maximal ill-formed part
/// (Unicode 15, section 3.9, table 3-8), with valid == false.
struct Utf8Char {
  std::uint32_t code_point = 0;
  std::uint32_t bytes = 0;
  bool valid = true;
};

/// Decodes the character at the front of `text`, which is not empty.
Utf8Char DecodeUtf8(std::string_view text);

/// Appends `code_point` to `out` in UTF-8; surrogates and values over U+10FFFF become U+FFFD.
void AppendUtf8(std::uint32_t code_point, std::string* out);

/// Offset of the first byte that is not part of valid UTF-8, if any.
std::optional<std::size_t> FindInvalidUtf8(std::string_view text);

/// `text` with every ill-formed part replaced by U+FFFD.
std::string RepairUtf8(std::string_view text);

/// Length of the longest prefix of `text` that ends at a character boundary: what may be shown
/// of a stream whose last character may still be incomplete. Invalid bytes count as complete.
std::size_t CompleteUtf8Prefix(std::string_view text);

/// `text` in double quotes for a one-line message: repaired, control characters written as \xNN,
/// cut after about `max_bytes`. For names that come out of files.
std::string QuoteForMessage(std::string_view text, std::size_t max_bytes = 80);

}  // namespace ergo
