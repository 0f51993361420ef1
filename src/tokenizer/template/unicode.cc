#include "tokenizer/template/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "tokenizer/template/special_casing.h"

namespace ergo::tokenizer::jinja {
namespace {

utf8proc_category_t CategoryOf(std::uint32_t code_point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
}

bool IsCased(std::uint32_t code_point) {
  const auto category = CategoryOf(code_point);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

bool IsCaseIgnorable(std::uint32_t code_point) {
  switch (CategoryOf(code_point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      break;
  }
  static constexpr std::array<std::uint32_t, 7> kPunctuation = {0x27,  0x2E,   0x3A,  0xB7,
                                                                0x387, 0x2018, 0x2019};
  return std::find(kPunctuation.begin(), kPunctuation.end(), code_point) != kPunctuation.end();
}

const SpecialCasing* FindSpecial(std::uint32_t code_point) {
  const auto found = std::lower_bound(
      kSpecialCasing.begin(), kSpecialCasing.end(), code_point,
      [](const SpecialCasing& row, std::uint32_t c) { return row.code_point < c; });
  return found != kSpecialCasing.end() && found->code_point == code_point ? &*found : nullptr;
}

std::vector<std::uint32_t> CodePoints(std::string_view text) {
  std::vector<std::uint32_t> points;
  points.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    points.push_back(c.code_point);
    text.remove_prefix(c.bytes);
  }
  return points;
}

void AppendUpper(std::uint32_t code_point, std::string* out) {
  if (const SpecialCasing* special = FindSpecial(code_point)) {
    *out += special->upper;
  } else {
    AppendUtf8(
        static_cast<std::uint32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code_point))),
        out);
  }
}

void AppendTitle(std::uint32_t code_point, std::string* out) {
  if (const SpecialCasing* special = FindSpecial(code_point)) {
    *out += special->title;
  } else {
    AppendUtf8(
        static_cast<std::uint32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(code_point))),
        out);
  }
}

// Sigma at the end of a word has its own lower case (Unicode, Final_Sigma).
bool IsFinalSigma(const std::vector<std::uint32_t>& points, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && IsCaseIgnorable(points[before - 1])) --before;
  if (before == 0 || !IsCased(points[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < points.size() && IsCaseIgnorable(points[after])) ++after;
  return after == points.size() || !IsCased(points[after]);
}

void AppendLower(const std::vector<std::uint32_t>& points, std::size_t at, std::string* out) {
  const std::uint32_t code_point = points[at];
  if (code_point == 0x130) {
    *out += "i\u0307";
  } else if (code_point == 0x3A3) {
    *out += IsFinalSigma(points, at) ? "\u03C2" : "\u03C3";
  } else {
    AppendUtf8(
        static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code_point))),
        out);
  }
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char AsciiUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

template <typename Drop>
std::string_view StripIf(std::string_view text, Side side, Drop drop) {
  if (side != Side::kRight) {
    while (!text.empty()) {
      const Utf8Char c = DecodeUtf8(text);
      if (!drop(c.code_point)) break;
      text.remove_prefix(c.bytes);
    }
  }
  if (side != Side::kLeft) {
    while (!text.empty()) {
      std::size_t start = text.size() - 1;
      while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
      if (!drop(DecodeUtf8(text.substr(start)).code_point)) break;
      text.remove_suffix(text.size() - start);
    }
  }
  return text;
}

}  // namespace

std::size_t OffsetOf(std::string_view text, std::size_t index) {
  std::size_t offset = 0;
  for (; offset < text.size(); ++offset) {
    if ((static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80) continue;
    if (index == 0) break;
    --index;
  }
  return offset;
}

std::size_t IndexOf(std::string_view text, std::size_t offset) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    count += (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
  }
  return count;
}

bool IsSpace(std::uint32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool IsLineBreak(std::uint32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

bool IsPrintable(std::uint32_t c) {
  if (c < 0x7F) return c >= 0x20;
  switch (CategoryOf(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    default:
      return true;
  }
}

bool IsAlpha(std::uint32_t c) {
  const auto category = CategoryOf(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool IsDecimal(std::uint32_t c) { return CategoryOf(c) == UTF8PROC_CATEGORY_ND; }

bool IsDigit(std::uint32_t c) {
  return IsDecimal(c) ||
         std::any_of(kOtherDigits.begin(), kOtherDigits.end(),
                     [&](const CodePointRange& r) { return c >= r.first && c <= r.last; });
}

bool IsNumeric(std::uint32_t c) {
  const auto category = CategoryOf(c);
  return (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) ||
         std::binary_search(kNumericLetters.begin(), kNumericLetters.end(), c);
}

bool IsUpper(std::uint32_t c) { return CategoryOf(c) == UTF8PROC_CATEGORY_LU; }
bool IsLower(std::uint32_t c) { return CategoryOf(c) == UTF8PROC_CATEGORY_LL; }
bool IsTitle(std::uint32_t c) { return CategoryOf(c) == UTF8PROC_CATEGORY_LT; }
bool IsWord(std::uint32_t c) { return c == '_' || IsAlpha(c) || IsNumeric(c); }

std::string ToUpper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  if (IsAscii(text)) {
    for (const char c : text) out += AsciiUpper(c);
    return out;
  }
  for (const std::uint32_t c : CodePoints(text)) AppendUpper(c, &out);
  return out;
}

std::string ToLower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  if (IsAscii(text)) {
    for (const char c : text) out += AsciiLower(c);
    return out;
  }
  const auto points = CodePoints(text);
  for (std::size_t i = 0; i < points.size(); ++i) AppendLower(points, i, &out);
  return out;
}

std::string CaseFold(std::string_view text) {
  std::string out;
  for (const std::uint32_t c : CodePoints(text)) {
    std::array<utf8proc_int32_t, 8> folded = {};
    int boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), folded.data(),
                                               folded.size(), UTF8PROC_CASEFOLD, &boundary);
    if (count <= 0 || count > static_cast<utf8proc_ssize_t>(folded.size())) {
      AppendUtf8(c, &out);
      continue;
    }
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      AppendUtf8(static_cast<std::uint32_t>(folded[static_cast<std::size_t>(i)]), &out);
    }
  }
  return out;
}

std::string SwapCase(std::string_view text) {
  std::string out;
  const auto points = CodePoints(text);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (IsUpper(points[i])) {
      AppendLower(points, i, &out);
    } else if (IsLower(points[i])) {
      AppendUpper(points[i], &out);
    } else {
      AppendUtf8(points[i], &out);
    }
  }
  return out;
}

std::string Capitalize(std::string_view text) {
  std::string out;
  const auto points = CodePoints(text);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i == 0) {
      AppendTitle(points[i], &out);
    } else {
      AppendLower(points, i, &out);
    }
  }
  return out;
}

std::string TitleCase(std::string_view text) {
  std::string out;
  const auto points = CodePoints(text);
  bool in_word = false;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (in_word) {
      AppendLower(points, i, &out);
    } else {
      AppendTitle(points[i], &out);
    }
    in_word = IsCased(points[i]);
  }
  return out;
}

std::string_view Strip(std::string_view text, Side side) { return StripIf(text, side, IsSpace); }

std::string_view StripChars(std::string_view text, std::string_view chars, Side side) {
  auto points = CodePoints(chars);
  std::sort(points.begin(), points.end());
  return StripIf(text, side, [&](std::uint32_t c) {
    return std::binary_search(points.begin(), points.end(), c);
  });
}

}  // namespace ergo::tokenizer::jinja
