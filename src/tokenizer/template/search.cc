#include "tokenizer/template/search.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {

std::size_t FindFirst(Runtime& runtime, std::string_view text, std::string_view part) {
  if (part.empty()) return 0;
  if (text.size() < part.size()) return std::string_view::npos;
  // memmem is linear for any input; std::string_view::find is not.
  const void* found = memmem(text.data(), text.size(), part.data(), part.size());
  const std::size_t at =
      found == nullptr ? std::string_view::npos
                       : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
  runtime.budget().SpendText((found == nullptr ? text.size() : at) + part.size());
  return at;
}

std::size_t FindLast(Runtime& runtime, std::string_view text, std::string_view part) {
  if (part.empty()) return text.size();
  if (text.size() < part.size()) return std::string_view::npos;
  for (std::size_t at = text.size() - part.size();; --at) {
    if (text[at] == part[0]) {
      // Counted before the comparison: repeated near misses cost the length of `part` each.
      runtime.budget().SpendText(part.size());
      if (text.substr(at, part.size()) == part) return at;
    } else if (at % 64 == 0) {
      runtime.budget().Spend(1);
    }
    if (at == 0) return std::string_view::npos;
  }
}

std::vector<std::string_view> SplitLeft(Runtime& runtime, std::string_view text,
                                        std::string_view separator, long long most) {
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<long long>(parts.size()) < most) {
    const std::size_t at = FindFirst(runtime, text, separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> SplitRight(Runtime& runtime, std::string_view text,
                                         std::string_view separator, long long most) {
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<long long>(parts.size()) < most) {
    const std::size_t at = FindLast(runtime, text, separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> SplitWords(Runtime& runtime, std::string_view text, long long most) {
  std::vector<std::string_view> parts;
  runtime.budget().SpendText(text.size());
  text = Strip(text, Side::kLeft);
  while (!text.empty()) {
    runtime.budget().Spend(1);
    if (most >= 0 && static_cast<long long>(parts.size()) == most) {
      parts.push_back(text);
      break;
    }
    std::size_t end = 0;
    while (end < text.size()) {
      const Utf8Char c = DecodeUtf8(text.substr(end));
      if (IsSpace(c.code_point)) break;
      end += c.bytes;
    }
    parts.push_back(text.substr(0, end));
    text = Strip(text.substr(end), Side::kLeft);
  }
  return parts;
}

std::vector<std::string_view> SplitWordsRight(Runtime& runtime, std::string_view text,
                                              long long most) {
  if (most < 0) return SplitWords(runtime, text, most);
  std::vector<std::string_view> parts;
  runtime.budget().SpendText(text.size());
  text = Strip(text, Side::kRight);
  while (!text.empty()) {
    runtime.budget().Spend(1);
    if (static_cast<long long>(parts.size()) == most) {
      parts.push_back(text);
      break;
    }
    std::size_t start = text.size();
    while (start > 0) {
      std::size_t before = start - 1;
      while (before > 0 && (static_cast<unsigned char>(text[before]) & 0xC0) == 0x80) --before;
      if (IsSpace(DecodeUtf8(text.substr(before)).code_point)) break;
      start = before;
    }
    parts.push_back(text.substr(start));
    text = Strip(text.substr(0, start), Side::kRight);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> SplitLines(Runtime& runtime, std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  runtime.budget().SpendText(text.size());
  while (!text.empty()) {
    std::size_t end = 0, next = 0;
    while (end < text.size()) {
      const Utf8Char c = DecodeUtf8(text.substr(end));
      next = end + c.bytes;
      if (IsLineBreak(c.code_point)) {
        if (c.code_point == '\r' && next < text.size() && text[next] == '\n') ++next;
        break;
      }
      end = next;
    }
    runtime.budget().Spend(1);
    lines.push_back(text.substr(0, keep_ends ? next : end));
    text.remove_prefix(next);
  }
  return lines;
}

std::string ReplaceText(Runtime& runtime, std::string_view text, std::string_view old_part,
                        std::string_view new_part, long long most) {
  TextBuilder out(&runtime.budget());
  long long done = 0;
  const auto more = [&] { return most < 0 || done < most; };
  if (old_part.empty()) {
    // Between all characters, and at both ends.
    while (more()) {
      out.Append(new_part);
      ++done;
      if (text.empty()) return out.Take();
      const std::size_t bytes = DecodeUtf8(text).bytes;
      out.Append(text.substr(0, bytes));
      text.remove_prefix(bytes);
    }
    out.Append(text);
    return out.Take();
  }
  for (; more(); ++done) {
    const std::size_t at = FindFirst(runtime, text, old_part);
    if (at == std::string_view::npos) break;
    out.Append(text.substr(0, at));
    out.Append(new_part);
    text.remove_prefix(at + old_part.size());
  }
  out.Append(text);
  return out.Take();
}

bool HasOnlyCase(std::string_view text, bool upper) {
  bool found = false;
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    if (IsTitle(c.code_point) || (upper ? IsLower(c.code_point) : IsUpper(c.code_point))) {
      return false;
    }
    found = found || (upper ? IsUpper(c.code_point) : IsLower(c.code_point));
    text.remove_prefix(c.bytes);
  }
  return found;
}

}  // namespace ergo::tokenizer::jinja
