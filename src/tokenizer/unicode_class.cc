#include "tokenizer/unicode_class.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace ergo::tokenizer {
namespace {

struct AddedRange {
  std::uint32_t first;
  std::uint32_t last;
  std::uint8_t category;
};
struct PointRange {
  std::uint32_t first;
  std::uint32_t last;
};

#include "tokenizer/unicode_additions.inc"

template <typename Range, std::size_t N>
const Range* FindRange(const Range (&ranges)[N], std::uint32_t point) {
  const Range* end = std::end(ranges);
  const Range* it = std::lower_bound(std::begin(ranges), end, point,
                                     [](const Range& r, std::uint32_t p) { return r.last < p; });
  return it != end && it->first <= point ? it : nullptr;
}

constexpr std::array<std::string_view, 30> kCategoryNames = {
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};

char MajorCategoryOf(std::uint32_t point) {
  return kCategoryNames[static_cast<std::size_t>(CategoryOf(point))][0];
}

}  // namespace

int CategoryOf(std::uint32_t point) {
  if (point > 0x10FFFF) return UTF8PROC_CATEGORY_CN;
  const int category = utf8proc_category(static_cast<utf8proc_int32_t>(point));
  if (category != UTF8PROC_CATEGORY_CN) return category;
  const AddedRange* added = FindRange(kAdded, point);
  return added == nullptr ? category : added->category;
}

bool IsWhiteSpace(std::uint32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

CharClass ClassOf(std::uint32_t point) {
  if (IsWhiteSpace(point)) return kSpace;
  const int category = CategoryOf(point);
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) return kLetter;
  if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) return kNumber;
  return kOther;
}

bool IsPunctuation(std::uint32_t point) {
  if (point < 0x80) {  // symbols too
    return (point > 0x20 && point < 0x30) || (point > 0x39 && point < 0x41) ||
           (point > 0x5A && point < 0x61) || (point > 0x7A && point < 0x7F);
  }
  if (FindRange(kStillPunctuation, point) != nullptr) return true;
  return MajorCategoryOf(point) == 'P' && FindRange(kNotPunctuation, point) == nullptr;
}

bool IsMark(std::uint32_t point) { return MajorCategoryOf(point) == 'M'; }

bool IsAccent(std::uint32_t point) {
  return IsMark(point) && FindRange(kNotAccents, point) == nullptr &&
         FindRange(kAdded, point) == nullptr;
}

bool IsNewToNormalForms(std::uint32_t point) {
  return FindRange(kNotNormalized, point) != nullptr || FindRange(kAdded, point) != nullptr;
}

bool IsWordCharacter(std::uint32_t c) {
  const int category = CategoryOf(c);
  const char major = kCategoryNames[static_cast<std::size_t>(category)][0];
  if (major == 'L' || major == 'M') return true;
  if (category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL) return true;
  if (category == UTF8PROC_CATEGORY_PC) return true;
  // Join controls, and the symbols with the property Other_Alphabetic.
  return c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9) ||
         (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
         (c >= 0x1F170 && c <= 0x1F189);
}

std::string AddedRangesOf(std::string_view category) {
  std::string out;
  for (const AddedRange& range : kAdded) {
    if (!kCategoryNames[range.category].starts_with(category)) continue;
    out += fmt::format("\\x{{{:X}}}-\\x{{{:X}}}", range.first, range.last);
  }
  return out;
}

}  // namespace ergo::tokenizer
