// Finding, splitting and replacing in text. Every function counts its work.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {

/// Byte offset of the first or last `part` in `text`, or npos.
std::size_t FindFirst(Runtime& runtime, std::string_view text, std::string_view part);
std::size_t FindLast(Runtime& runtime, std::string_view text, std::string_view part);

/// str.split() and str.rsplit(): at most `most` splits, all if negative. The parts point into
/// `text`; `separator` is not empty.
std::vector<std::string_view> SplitLeft(Runtime& runtime, std::string_view text,
                                        std::string_view separator, long long most);
std::vector<std::string_view> SplitRight(Runtime& runtime, std::string_view text,
                                         std::string_view separator, long long most);
/// The same at runs of white space.
std::vector<std::string_view> SplitWords(Runtime& runtime, std::string_view text, long long most);
std::vector<std::string_view> SplitWordsRight(Runtime& runtime, std::string_view text,
                                              long long most);
std::vector<std::string_view> SplitLines(Runtime& runtime, std::string_view text, bool keep_ends);

/// str.replace(): the first `most` places, all if negative.
std::string ReplaceText(Runtime& runtime, std::string_view text, std::string_view old_part,
                        std::string_view new_part, long long most);

/// str.isupper() or str.islower().
bool HasOnlyCase(std::string_view text, bool upper);

}  // namespace ergo::tokenizer::jinja
