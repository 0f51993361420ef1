// The escapes of string literals.
#pragma once

#include <string>
#include <string_view>

namespace ergo::tokenizer::jinja {

/// Appends what the literal `body` (without quotes) means, with the escapes of Python's strings;
/// unknown escapes stay as they are. Returns what is wrong with it, or null.
const char* DecodeStringLiteral(std::string_view body, std::string* out);

}  // namespace ergo::tokenizer::jinja
