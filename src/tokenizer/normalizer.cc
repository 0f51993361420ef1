#include "tokenizer/normalizer.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_fields.h"
#include "tokenizer/unicode_class.h"

namespace ergo::tokenizer {
namespace {

constexpr std::size_t kMaxSteps = 64;

/// Characters that the form leaves alone, whatever stands before them. (The character after may
/// still combine with one.)
bool IsInert(std::uint32_t c, NormalForm form) {
  if (c < 0x80) return true;
  const bool composed = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  if (c >= 0x4E00 && c <= 0x9FFF) return true;  // unified ideographs
  if (!composed) return false;
  const auto within = [c](std::uint32_t first, std::uint32_t last) {
    return c >= first && c <= last;
  };
  if (within(0x3041, 0x3096) || within(0x30A1, 0x30FA) || within(0xAC00, 0xD7A3)) return true;
  if (form == NormalForm::kNfkc) return false;
  // Blocks all of whose members are starters with the property NFC_QC=Yes.
  return c < 0x300 || within(0x388, 0x482) || within(0x48A, 0x52F) || within(0x5D0, 0x5EA) ||
         within(0x621, 0x64A) || within(0x904, 0x939) || within(0xE01, 0xE30) ||
         within(0x1E00, 0x1EFF) || within(0x2010, 0x2027) || within(0x2190, 0x21FF) ||
         within(0x2500, 0x27BF) || within(0x3001, 0x3029) || within(0x3400, 0x4DBF) ||
         within(0xFF01, 0xFF9D) || within(0x1F300, 0x1FAFF);
}

/// Offset of the first character that the form may change; the size when there is none.
std::size_t FirstChangeable(std::string_view text, NormalForm form) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<std::uint8_t>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Utf8Char c = DecodeUtf8(text.substr(at));
    if (!IsInert(c.code_point, form)) return at;
    at += c.bytes;
  }
  return at;
}

int CombiningClass(std::uint32_t c) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

/// Puts marks into canonical order beforehand: utf8proc's own sort takes quadratic time on a text
/// of many marks in a row.
std::string WithMarksInOrder(std::string_view text) {
  std::vector<std::uint32_t> points;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text.substr(i));
    points.push_back(c.code_point);
    i += c.bytes;
  }
  for (auto run = points.begin(); run != points.end();) {
    const auto begin = std::find_if(run, points.end(), CombiningClass);
    run = std::find_if_not(begin, points.end(), CombiningClass);
    std::stable_sort(begin, run, [](std::uint32_t a, std::uint32_t b) {
      return CombiningClass(a) < CombiningClass(b);
    });
  }
  std::string sorted;
  sorted.reserve(text.size());
  for (const std::uint32_t point : points) AppendUtf8(point, &sorted);
  return sorted;
}

void AppendNormalized(std::string_view text, NormalForm form, std::string* out) {
  constexpr std::size_t kLong = 64;
  std::string sorted;
  if (text.size() > kLong) {
    sorted = WithMarksInOrder(text);
    text = sorted;
  }
  int options = UTF8PROC_STABLE;
  const bool composed = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  options |= composed ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == NormalForm::kNfkc || form == NormalForm::kNfkd) options |= UTF8PROC_COMPAT;
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                             static_cast<utf8proc_option_t>(options));
  if (size < 0) {
    out->append(text);
    return;
  }
  out->append(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
  std::free(mapped);
}

template <typename Map>
std::string MapChars(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text.substr(i));
    map(c.code_point, &out);
    i += c.bytes;
  }
  return out;
}

void AppendLower(std::uint32_t c, std::string* out) {
  // The only character whose lower case is two (SpecialCasing, without conditions).
  if (c == 0x130) {
    out->append("i\u0307");
    return;
  }
  AppendUtf8(static_cast<std::uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))), out);
}

void AppendNmt(std::uint32_t c, std::string* out) {
  const bool dropped = (c >= 1 && c <= 8) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
                       c == 0x8F || c == 0x9F;
  if (dropped) return;
  const bool space = c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 ||
                     (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                     c == 0xFEFF || c == 0xFFFD;
  AppendUtf8(space ? ' ' : c, out);
}

std::string_view Stripped(const StripStep& step, std::string_view text) {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool leading = true;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text.substr(i));
    i += c.bytes;
    if (!IsWhiteSpace(c.code_point)) {
      leading = false;
      end = i;
    } else if (leading) {
      begin = i;
    }
  }
  if (!step.left) begin = 0;
  if (!step.right) end = text.size();
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

struct Applier {
  std::string_view text;
  std::size_t max_bytes;

  std::string operator()(NormalForm form) const { return Normalized(text, form); }
  std::string operator()(const ReplaceStep& step) const {
    return ReplaceAll(step, text, max_bytes);
  }
  std::string operator()(const PrependStep& step) const {
    return text.empty() ? std::string() : step.text + std::string(text);
  }
  std::string operator()(const StripStep& step) const { return std::string(Stripped(step, text)); }
  std::string operator()(const LowercaseStep&) const { return MapChars(text, AppendLower); }
  std::string operator()(const StripAccentsStep&) const {
    return MapChars(text, [](std::uint32_t c, std::string* out) {
      if (!IsAccent(c)) AppendUtf8(c, out);
    });
  }
  std::string operator()(const NmtStep&) const { return MapChars(text, AppendNmt); }
  std::string operator()(const ByteAlphabetStep&) const {
    std::string out;
    AppendInAlphabet(text, &out);
    return out;
  }
};

Status AddStep(const Json& json, const std::string& where, std::vector<Normalizer::Step>* steps) {
  const std::string type = StringOr(json, "type", "");
  if (type == "Sequence") {
    const Json* members = Member(json, "normalizers");
    if (members == nullptr || !members->is_array()) {
      return Fail("normalizer Sequence without \"normalizers\"", where);
    }
    for (const Json& member : *members) {
      if (auto added = AddStep(member, where, steps); !added) return added;
    }
    return {};
  }
  if (steps->size() >= kMaxSteps) return Fail("too many normalizers", where);
  if (type == "NFC") {
    steps->push_back(NormalForm::kNfc);
  } else if (type == "NFD") {
    steps->push_back(NormalForm::kNfd);
  } else if (type == "NFKC") {
    steps->push_back(NormalForm::kNfkc);
  } else if (type == "NFKD") {
    steps->push_back(NormalForm::kNfkd);
  } else if (type == "Lowercase") {
    steps->push_back(LowercaseStep{});
  } else if (type == "StripAccents") {
    steps->push_back(StripAccentsStep{});
  } else if (type == "Nmt") {
    steps->push_back(NmtStep{});
  } else if (type == "ByteLevel") {
    steps->push_back(ByteAlphabetStep{});
  } else if (type == "Strip") {
    steps->push_back(
        StripStep{BoolOr(json, "strip_left", true), BoolOr(json, "strip_right", true)});
  } else if (type == "Prepend") {
    steps->push_back(PrependStep{StringOr(json, "prepend", "")});
  } else if (type == "Replace") {
    auto replace = ParseReplace(json, where);
    if (!replace) return Fail(std::move(replace));
    steps->push_back(std::move(*replace));
  } else {
    return Fail(fmt::format("normalizer {} is not supported", QuoteForMessage(type, 40)), where);
  }
  return {};
}

}  // namespace

std::string Normalized(std::string_view text, NormalForm form) {
  std::string out;
  out.reserve(text.size());
  std::size_t copied = 0;  // everything before is in `out`
  std::size_t wall = 0;    // nothing behind combines with anything before
  for (std::size_t at = 0; at < text.size();) {
    at += FirstChangeable(text.substr(at), form);
    if (at == text.size()) break;
    const Utf8Char c = DecodeUtf8(text.substr(at));
    if (IsNewToNormalForms(c.code_point)) {
      at += c.bytes;
      wall = at;
      continue;
    }
    // From the character before, which may combine, to the next that nothing can change.
    std::size_t begin = at;
    if (begin > wall) {
      do {
        --begin;
      } while ((static_cast<std::uint8_t>(text[begin]) & 0xC0) == 0x80);
    }
    std::size_t end = at + c.bytes;
    while (end < text.size()) {
      const Utf8Char next = DecodeUtf8(text.substr(end));
      if (IsInert(next.code_point, form) || IsNewToNormalForms(next.code_point)) break;
      end += next.bytes;
    }
    out.append(text.substr(copied, begin - copied));
    AppendNormalized(text.substr(begin, end - begin), form, &out);
    copied = wall = at = end;
  }
  out.append(text.substr(copied));
  return out;
}

std::string ReplaceAll(const ReplaceStep& step, std::string_view text, std::size_t max_bytes) {
  std::string out;
  out.reserve(text.size());
  std::size_t done = 0;
  const auto replace = [&](std::size_t begin, std::size_t end) {
    out.append(text.substr(done, begin - done)).append(step.content);
    done = end;
    return out.size() <= max_bytes;
  };
  if (const auto* literal = std::get_if<std::string>(&step.pattern)) {
    if (literal->empty()) return std::string(text);
    for (std::size_t at = text.find(*literal); at != std::string_view::npos;
         at = text.find(*literal, done)) {
      if (!replace(at, at + literal->size())) break;
    }
  } else {
    RegexMatches matches(std::get<Regex>(step.pattern), text);
    while (const auto match = matches.Next()) {
      if (!replace(match->begin, match->end)) break;
    }
  }
  out.append(text.substr(done));
  return out;
}

Result<ReplaceStep> ParseReplace(const Json& json, const std::string& where) {
  ReplaceStep step;
  step.content = StringOr(json, "content", "");
  const Json* pattern = Member(json, "pattern");
  if (pattern == nullptr) return Fail("Replace without a pattern", where);
  if (const std::string* regex = StringMember(*pattern, "Regex")) {
    auto compiled = Regex::Compile(*regex, where);
    if (!compiled) return Fail(std::move(compiled));
    step.pattern = std::move(*compiled);
  } else if (const std::string* text = StringMember(*pattern, "String")) {
    step.pattern = *text;
  } else {
    return Fail("Replace whose pattern is neither Regex nor String", where);
  }
  return step;
}

Result<Normalizer> Normalizer::FromJson(const Json& json, const std::string& where) {
  Normalizer normalizer;
  if (json.is_null()) return normalizer;
  if (auto added = AddStep(json, where + ": normalizer", &normalizer.steps_); !added) {
    return tl::unexpected<Error>(std::move(added.error()));
  }
  return normalizer;
}

std::string_view Normalizer::Apply(std::string_view text, std::string* storage) const {
  const std::size_t max_bytes = GrowthLimit(text.size());
  for (const Step& step : steps_) {
    const auto* form = std::get_if<NormalForm>(&step);
    if (form != nullptr && FirstChangeable(text, *form) == text.size()) continue;
    std::string next = std::visit(Applier{text, max_bytes}, step);
    if (next.size() > max_bytes) continue;
    *storage = std::move(next);
    text = *storage;
  }
  return text;
}

}  // namespace ergo::tokenizer
