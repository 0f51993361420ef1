// The methods of strings.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/utf8.h"
#include "tokenizer/template/methods.h"
#include "tokenizer/template/parameters.h"
#include "tokenizer/template/search.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {
namespace {

Value Like(Runtime& runtime, const Value& self, std::string_view text) {
  return runtime.MakeText(std::string(text), self.text().markup);
}

Value Like(Runtime& runtime, const Value& self, std::string&& text) {
  return runtime.MakeText(std::move(text), self.text().markup);
}

/// An argument of a method of markup is escaped before it is put in.
std::string Inserted(const Value& self, const Value& argument) {
  const bool escape = self.text().markup && !argument.text().markup;
  return escape ? EscapeHtml(argument.str()) : std::string(argument.str());
}

template <std::string (*kMap)(std::string_view)>
Value Mapped(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("str method", arguments, {});
  runtime.budget().SpendText(self.str().size() * 8);
  return Like(runtime, self, kMap(self.str()));
}

template <Side kSide>
Value Stripped(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("strip", arguments, {"chars"});
  runtime.budget().SpendText(self.str().size());
  if (!p.Given(0)) return Like(runtime, self, Strip(self.str(), kSide));
  return Like(runtime, self, StripChars(self.str(), p.String(0), kSide));
}

/// Python's characters tests: every character passes, and there is one.
template <bool (*kPasses)(std::uint32_t)>
Value AllCharacters(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("str method", arguments, {});
  std::string_view rest = self.str();
  runtime.budget().SpendText(rest.size() * 8);
  bool all = !rest.empty();
  while (all && !rest.empty()) {
    const Utf8Char c = DecodeUtf8(rest);
    all = kPasses(c.code_point);
    rest.remove_prefix(c.bytes);
  }
  return Value(all);
}

bool IsAlphanumeric(std::uint32_t c) { return IsAlpha(c) || IsNumeric(c) || IsDigit(c); }

/// isupper() and islower(): no character of the other case, and at least one of this.
template <bool kUpper>
Value HasCase(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("str method", arguments, {});
  runtime.budget().SpendText(self.str().size() * 8);
  return Value(HasOnlyCase(self.str(), kUpper));
}

Value IsTitleText(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("istitle", arguments, {});
  std::string_view rest = self.str();
  runtime.budget().SpendText(rest.size() * 8);
  bool previous_cased = false, any = false;
  while (!rest.empty()) {
    const Utf8Char c = DecodeUtf8(rest);
    const bool start = IsUpper(c.code_point) || IsTitle(c.code_point);
    if (start && previous_cased) return Value(false);
    if (IsLower(c.code_point) && !previous_cased) return Value(false);
    previous_cased = start || IsLower(c.code_point);
    any = any || previous_cased;
    rest.remove_prefix(c.bytes);
  }
  return Value(any);
}

Value IsAscii(Runtime&, const Value& self, Arguments& arguments) {
  const Parameters p("isascii", arguments, {});
  return Value(self.text().ascii());
}

Value IsPrintableText(Runtime& runtime, const Value& self, Arguments& arguments) {
  if (self.str().empty()) return Value(true);
  return AllCharacters<IsPrintable>(runtime, self, arguments);
}

Value IsIdentifier(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Value word = AllCharacters<IsWord>(runtime, self, arguments);
  return Value(word.boolean() && !IsNumeric(DecodeUtf8(self.str()).code_point));
}

// --- Searching ---

/// The part [start, end) of `self` in bytes, clamped as slices are; nothing if start lies beyond.
std::optional<std::pair<std::size_t, std::size_t>> Window(const Value& self, const Parameters& p,
                                                          std::size_t first) {
  const auto length = static_cast<long long>(self.text().length);
  const auto bound = [&](std::size_t index, long long otherwise) {
    if (!p.Given(index)) return otherwise;
    const long long at = p.Whole(index, 0);
    return at < 0 ? std::max(at + length, 0LL) : at;
  };
  const long long start = bound(first, 0);
  const long long end = std::min(bound(first + 1, length), length);
  if (start > length || start > end) return std::nullopt;
  return std::pair(OffsetOf(self.str(), static_cast<std::size_t>(start)),
                   OffsetOf(self.str(), static_cast<std::size_t>(end)));
}

template <bool kLast, bool kRaises>
Value Find(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("find", arguments, {"sub", "start", "end"}, 1);
  const std::string_view part = p.String(0);
  runtime.budget().SpendText(self.str().size());
  if (const auto window = Window(self, p, 1)) {
    const std::string_view text = self.str().substr(window->first, window->second - window->first);
    const std::size_t at = kLast ? FindLast(runtime, text, part) : FindFirst(runtime, text, part);
    if (at != std::string_view::npos) {
      return Value::FromSize(IndexOf(self.str(), window->first + at));
    }
  }
  if (kRaises) Raise("substring not found");
  return Value(static_cast<Int>(-1));
}

Value Count(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("count", arguments, {"sub", "start", "end"}, 1);
  const std::string_view part = p.String(0);
  const auto window = Window(self, p, 1);
  if (!window) return Value(static_cast<Int>(0));
  std::string_view text = self.str().substr(window->first, window->second - window->first);
  if (part.empty()) return Value::FromSize(IndexOf(text, text.size()) + 1);
  std::size_t count = 0;
  for (std::size_t at; (at = FindFirst(runtime, text, part)) != std::string_view::npos; ++count) {
    text.remove_prefix(at + part.size());
  }
  return Value::FromSize(count);
}

template <bool kStart>
Value HasAffix(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p(kStart ? "startswith" : "endswith", arguments, {"prefix", "start", "end"}, 1);
  const auto window = Window(self, p, 1);
  std::string_view text;
  if (window) text = self.str().substr(window->first, window->second - window->first);
  const auto matches = [&](const Value& affix) {
    if (!affix.IsString()) {
      if (affix.IsUndefined()) RaiseUndefined(affix);
      Raise(fmt::format("{} first arg must be str or a tuple of str, not {}",
                        kStart ? "startswith" : "endswith", affix.TypeName()));
    }
    runtime.budget().SpendText(affix.str().size());
    if (!window) return false;
    return kStart ? text.starts_with(affix.str()) : text.ends_with(affix.str());
  };
  const Value& affix = *p[0];
  if (!affix.IsTuple()) return Value(matches(affix));
  return Value(std::any_of(affix.items().begin(), affix.items().end(), matches));
}

template <bool kPrefix>
Value RemoveAffix(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("removeprefix", arguments, {"affix"}, 1);
  const std::string_view affix = p.String(0);
  std::string_view text = self.str();
  if (kPrefix && text.starts_with(affix)) text.remove_prefix(affix.size());
  if (!kPrefix && text.ends_with(affix)) text.remove_suffix(affix.size());
  return Like(runtime, self, text);
}

// --- Splitting and joining ---

Value MakeParts(Runtime& runtime, const Value& self, const std::vector<std::string_view>& parts) {
  std::vector<Value> items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.push_back(Like(runtime, self, part));
  return runtime.MakeList(std::move(items));
}

template <bool kFromRight>
Value Split(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p(kFromRight ? "rsplit" : "split", arguments, {"sep", "maxsplit"});
  const long long most = p.Whole(1, -1);
  if (!p.Given(0)) {
    return MakeParts(runtime, self,
                     kFromRight ? SplitWordsRight(runtime, self.str(), most)
                                : SplitWords(runtime, self.str(), most));
  }
  const std::string_view separator = p.String(0);
  if (separator.empty()) Raise("empty separator");
  return MakeParts(runtime, self,
                   kFromRight ? SplitRight(runtime, self.str(), separator, most)
                              : SplitLeft(runtime, self.str(), separator, most));
}

Value SplitLinesMethod(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("splitlines", arguments, {"keepends"});
  return MakeParts(runtime, self, SplitLines(runtime, self.str(), p.Flag(0, false)));
}

template <bool kLast>
Value Partition(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("partition", arguments, {"sep"}, 1);
  const std::string_view separator = p.String(0), text = self.str();
  if (separator.empty()) Raise("empty separator");
  const std::size_t at =
      kLast ? FindLast(runtime, text, separator) : FindFirst(runtime, text, separator);
  std::array<std::string_view, 3> parts = {text, "", ""};
  if (at != std::string_view::npos) {
    parts = {text.substr(0, at), separator, text.substr(at + separator.size())};
  } else if (kLast) {
    parts = {"", "", text};
  }
  std::vector<Value> items;
  for (const std::string_view part : parts) items.push_back(Like(runtime, self, part));
  return runtime.MakeTuple(std::move(items));
}

Value Join(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("join", arguments, {"iterable"}, 1);
  const std::vector<Value> items = ItemsOf(runtime, *p[0]);
  TextBuilder out(&runtime.budget());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.Append(self.str());
    if (self.text().markup) {
      out.Append(EscapeValue(runtime, items[i]).str());
    } else if (items[i].IsString()) {
      out.Append(items[i].str());
    } else {
      Raise(
          fmt::format("sequence item {}: expected str instance, {} found", i, items[i].TypeName()));
    }
  }
  return Like(runtime, self, out.Take());
}

Value Replace(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("replace", arguments, {"old", "new", "count"}, 2);
  p.String(0);
  p.String(1);
  return Like(runtime, self,
              ReplaceText(runtime, self.str(), p[0]->str(), Inserted(self, *p[1]), p.Whole(2, -1)));
}

// --- Padding ---

enum class Pad { kLeft, kRight, kCenter };

template <Pad kPad>
Value Padded(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("str method", arguments, {"width", "fillchar"}, 1);
  std::string fill = " ";
  if (p.Has(1)) {
    p.String(1);
    if (p[1]->text().length != 1) Raise("the fill character must be exactly one character long");
    fill = Inserted(self, *p[1]);
  }
  const long long width = p.Whole(0, 0);
  const auto length = static_cast<long long>(self.text().length);
  if (width <= length) return Like(runtime, self, self.str());
  const auto missing = static_cast<std::size_t>(width - length);
  // Python puts the odd character to the left of a text of even length.
  std::size_t before = missing / 2 + (missing & static_cast<std::size_t>(width) & 1);
  if (kPad == Pad::kLeft) before = missing;
  if (kPad == Pad::kRight) before = 0;
  TextBuilder out(&runtime.budget());
  out.AppendRepeated(fill, before);
  out.Append(self.str());
  out.AppendRepeated(fill, missing - before);
  return Like(runtime, self, out.Take());
}

Value ZeroFill(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("zfill", arguments, {"width"}, 1);
  const long long missing = p.Whole(0, 0) - static_cast<long long>(self.text().length);
  std::string_view text = self.str();
  TextBuilder out(&runtime.budget());
  if (missing > 0 && !text.empty() && (text[0] == '+' || text[0] == '-')) {
    out.Append(text.substr(0, 1));
    text.remove_prefix(1);
  }
  if (missing > 0) out.AppendRepeated("0", static_cast<std::size_t>(missing));
  out.Append(text);
  return Like(runtime, self, out.Take());
}

Value ExpandTabs(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("expandtabs", arguments, {"tabsize"});
  const long long size = p.Whole(0, 8);
  TextBuilder out(&runtime.budget());
  long long column = 0;
  std::string_view rest = self.str();
  while (!rest.empty()) {
    const Utf8Char c = DecodeUtf8(rest);
    if (c.code_point == '\t') {
      const long long step = size > 0 ? size - column % size : 0;
      out.AppendRepeated(" ", static_cast<std::size_t>(step));
      column += step;
    } else {
      out.Append(rest.substr(0, c.bytes));
      column = c.code_point == '\n' || c.code_point == '\r' ? 0 : column + 1;
    }
    rest.remove_prefix(c.bytes);
  }
  return Like(runtime, self, out.Take());
}

Value Format(Runtime& runtime, const Value& self, Arguments& arguments) {
  return FormatBraces(runtime, self.text(), arguments);
}

Value FormatMap(Runtime& runtime, const Value& self, Arguments& arguments) {
  const Parameters p("format_map", arguments, {"mapping"}, 1);
  if (!p[0]->IsDict()) Raise("format_map() takes a mapping");
  Arguments named;
  for (const auto& [key, value] : p[0]->dict().entries()) {
    if (key.IsString()) named.named.emplace_back(key.str(), value);
  }
  return FormatBraces(runtime, self.text(), named);
}

struct Method {
  std::string_view name;
  MethodFunction function;
};

constexpr std::array<Method, 44> kMethods = {{
    {"capitalize", Mapped<Capitalize>},
    {"casefold", Mapped<CaseFold>},
    {"center", Padded<Pad::kCenter>},
    {"count", Count},
    {"endswith", HasAffix<false>},
    {"expandtabs", ExpandTabs},
    {"find", Find<false, false>},
    {"format", Format},
    {"format_map", FormatMap},
    {"index", Find<false, true>},
    {"isalnum", AllCharacters<IsAlphanumeric>},
    {"isalpha", AllCharacters<IsAlpha>},
    {"isascii", IsAscii},
    {"isdecimal", AllCharacters<IsDecimal>},
    {"isdigit", AllCharacters<IsDigit>},
    {"isidentifier", IsIdentifier},
    {"islower", HasCase<false>},
    {"isnumeric", AllCharacters<IsNumeric>},
    {"isprintable", IsPrintableText},
    {"isspace", AllCharacters<IsSpace>},
    {"istitle", IsTitleText},
    {"isupper", HasCase<true>},
    {"join", Join},
    {"ljust", Padded<Pad::kRight>},
    {"lower", Mapped<ToLower>},
    {"lstrip", Stripped<Side::kLeft>},
    {"partition", Partition<false>},
    {"removeprefix", RemoveAffix<true>},
    {"removesuffix", RemoveAffix<false>},
    {"replace", Replace},
    {"rfind", Find<true, false>},
    {"rindex", Find<true, true>},
    {"rjust", Padded<Pad::kLeft>},
    {"rpartition", Partition<true>},
    {"rsplit", Split<true>},
    {"rstrip", Stripped<Side::kRight>},
    {"split", Split<false>},
    {"splitlines", SplitLinesMethod},
    {"startswith", HasAffix<true>},
    {"strip", Stripped<Side::kBoth>},
    {"swapcase", Mapped<SwapCase>},
    {"title", Mapped<TitleCase>},
    {"upper", Mapped<ToUpper>},
    {"zfill", ZeroFill},
}};

}  // namespace

MethodFunction FindStringMethod(std::string_view name) {
  const auto found = std::find_if(kMethods.begin(), kMethods.end(),
                                  [&](const Method& method) { return method.name == name; });
  return found != kMethods.end() ? found->function : nullptr;
}

}  // namespace ergo::tokenizer::jinja
