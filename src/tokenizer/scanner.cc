#include "tokenizer/scanner.h"

#include <array>
#include <cstdint>

#include "base/utf8.h"
#include "tokenizer/unicode_class.h"

namespace ergo::tokenizer {
namespace {

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::array<std::uint8_t, 128> MakeAsciiClasses() {
  std::array<std::uint8_t, 128> classes{};
  for (std::size_t c = 0; c < 128; ++c) {
    if (c == ' ' || (c >= 9 && c <= 13)) classes[c] = kSpace;
    if (c >= '0' && c <= '9') classes[c] = kNumber;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) classes[c] = kLetter;
  }
  return classes;
}
constexpr std::array<std::uint8_t, 128> kAscii = MakeAsciiClasses();

struct Char {
  std::uint8_t kind;   ///< CharClass
  std::uint8_t bytes;  ///< 0 at the end of the text
};

/// Decodes valid UTF-8 of two bytes and more.
Char WideCharAt(const char* at) {
  const auto byte = [at](int i) {
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(at[i]));
  };
  const std::uint32_t first = byte(0);
  if (first < 0xE0) {
    return {ClassOf((first & 0x1F) << 6 | (byte(1) & 0x3F)), 2};
  }
  if (first < 0xF0) {
    const std::uint32_t point = (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    // Common ideographs and Hangul need no table.
    if ((point >= 0x4E00 && point <= 0x9FFF) || (point >= 0xAC00 && point <= 0xD7A3)) {
      return {kLetter, 3};
    }
    return {ClassOf(point), 3};
  }
  return {ClassOf((first & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
                  (byte(3) & 0x3F)),
          4};
}

class Text {
 public:
  explicit Text(std::string_view text) : text_(text) {}

  Char At(std::size_t i) const {
    if (i >= text_.size()) return {kOther, 0};
    const auto byte = static_cast<std::uint8_t>(text_[i]);
    if (byte < 0x80) return {kAscii[byte], 1};
    return WideCharAt(text_.data() + i);
  }
  bool IsByte(std::size_t i, char byte) const { return i < text_.size() && text_[i] == byte; }
  bool IsNewline(std::size_t i) const { return IsByte(i, '\n') || IsByte(i, '\r'); }

  /// End of the run of characters of `kind` from `i` on.
  std::size_t RunEnd(std::size_t i, std::uint8_t kind) const {
    for (;;) {
      const Char c = At(i);
      if (c.bytes == 0 || c.kind != kind) return i;
      i += c.bytes;
    }
  }

  /// End of the contraction at `i`, where the apostrophe stands; `i` when there is none.
  template <bool kAnyCase>
  std::size_t ContractionEnd(std::size_t i) const {
    const auto letter = [&](std::size_t at) -> char {
      if (at >= text_.size()) return 0;
      const char c = text_[at];
      return kAnyCase && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    const char first = letter(i + 1);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return i + 2;
    const char second = letter(i + 2);
    if ((first == 'r' || first == 'v') && second == 'e') return i + 3;
    if (first == 'l' && second == 'l') return i + 3;
    // U+017F, the long s, is an s in any case.
    if (kAnyCase && text_.substr(i + 1, 2) == "\u017F") return i + 3;
    return i;
  }

  /// \s+(?!\S)|\s+ for the run of white space from `begin` to `end`.
  std::size_t SpaceEnd(std::size_t begin, std::size_t end) const {
    if (end == text_.size()) return end;
    std::size_t last = end - 1;
    while (last > begin && (static_cast<std::uint8_t>(text_[last]) & 0xC0) == 0x80) --last;
    return last == begin ? end : last;
  }

 private:
  std::string_view text_;
};

std::size_t ScanGpt2(std::string_view view, std::size_t from) {
  const Text text(view);
  Char c = text.At(from);
  if (view[from] == '\'') {
    const std::size_t end = text.ContractionEnd<false>(from);
    if (end != from) return end;
  }
  std::size_t start = from;
  if (view[from] == ' ') {
    const Char next = text.At(from + 1);
    if (next.bytes != 0 && next.kind != kSpace) {
      start = from + 1;
      c = next;
    }
  }
  if (c.kind != kSpace) return text.RunEnd(start + c.bytes, c.kind);
  return text.SpaceEnd(from, text.RunEnd(from, kSpace));
}

template <int kDigits>
std::size_t ScanLlama3(std::string_view view, std::size_t from) {
  const Text text(view);
  const Char c = text.At(from);
  if (c.kind == kLetter) return text.RunEnd(from + c.bytes, kLetter);
  if (view[from] == '\'') {
    const std::size_t end = text.ContractionEnd<true>(from);
    if (end != from) return end;
  }
  if (c.kind == kNumber) {
    std::size_t end = from + c.bytes;
    for (int count = 1; count < kDigits; ++count) {
      const Char next = text.At(end);
      if (next.bytes == 0 || next.kind != kNumber) break;
      end += next.bytes;
    }
    return end;
  }
  if (!text.IsNewline(from)) {
    const Char next = text.At(from + c.bytes);
    if (next.bytes != 0 && next.kind == kLetter) {
      return text.RunEnd(from + c.bytes + next.bytes, kLetter);
    }
  }
  const std::size_t start = view[from] == ' ' ? from + 1 : from;
  const Char first = text.At(start);
  if (first.bytes != 0 && first.kind == kOther) {
    std::size_t end = text.RunEnd(start, kOther);
    while (text.IsNewline(end)) ++end;
    return end;
  }
  const std::size_t end = text.RunEnd(from, kSpace);
  for (std::size_t i = end; i > from; --i) {
    if (text.IsNewline(i - 1)) return i;
  }
  return text.SpaceEnd(from, end);
}

}  // namespace

std::optional<ScannerKind> ScannerFor(std::string_view pattern) {
  for (const ScannerKind kind : {ScannerKind::kGpt2, ScannerKind::kLlama3, ScannerKind::kQwen2}) {
    if (pattern == PatternOf(kind)) return kind;
  }
  return std::nullopt;
}

std::string_view PatternOf(ScannerKind kind) {
  switch (kind) {
    case ScannerKind::kGpt2:
      return kGpt2Pattern;
    case ScannerKind::kLlama3:
      return kLlama3Pattern;
    case ScannerKind::kQwen2:
      break;
  }
  return kQwen2Pattern;
}

std::size_t ScanWord(ScannerKind kind, std::string_view text, std::size_t from) {
  switch (kind) {
    case ScannerKind::kGpt2:
      return ScanGpt2(text, from);
    case ScannerKind::kLlama3:
      return ScanLlama3<3>(text, from);
    case ScannerKind::kQwen2:
      break;
  }
  return ScanLlama3<1>(text, from);
}

}  // namespace ergo::tokenizer
