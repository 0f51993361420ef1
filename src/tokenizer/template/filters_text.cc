// Filters that give text.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "tokenizer/template/attribute_path.h"
#include "tokenizer/template/filters.h"
#include "tokenizer/template/parameters.h"
#include "tokenizer/template/search.h"
#include "tokenizer/template/unicode.h"

namespace ergo::tokenizer::jinja {
namespace {

/// A string as it is, any other value as text.
Value SoftText(Runtime& runtime, const Value& value) {
  return value.IsString() ? value : runtime.MakeText(ToText(runtime, value));
}

template <std::string (*kMap)(std::string_view)>
Value Mapped(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("case filter", arguments, {});
  const Value text = SoftText(runtime, input);
  runtime.budget().SpendText(text.str().size() * 8);
  return runtime.MakeText(kMap(text.str()), text.text().markup);
}

/// The title filter splits words at its own set of characters, unlike str.title().
std::string FilterTitle(std::string_view text) {
  const auto starts_word = [](std::uint32_t c) {
    return IsSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  std::string out;
  while (!text.empty()) {
    const Utf8Char first = DecodeUtf8(text);
    if (starts_word(first.code_point)) {
      out += text.substr(0, first.bytes);
      text.remove_prefix(first.bytes);
      continue;
    }
    std::size_t end = 0;
    while (end < text.size()) {
      const Utf8Char c = DecodeUtf8(text.substr(end));
      if (starts_word(c.code_point)) break;
      end += c.bytes;
    }
    out += ToUpper(text.substr(0, first.bytes));
    out += ToLower(text.substr(first.bytes, end - first.bytes));
    text.remove_prefix(end);
  }
  return out;
}

Value Trim(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("trim", arguments, {"chars"});
  const Value text = SoftText(runtime, input);
  runtime.budget().SpendText(text.str().size());
  const std::string_view stripped = p.Given(0) ? StripChars(text.str(), p.String(0), Side::kBoth)
                                               : Strip(text.str(), Side::kBoth);
  return runtime.MakeText(std::string(stripped), text.text().markup);
}

Value Replace(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("replace", arguments, {"old", "new", "count"}, 2);
  const long long most = p.Given(2) ? p.Whole(2, -1) : -1;
  return runtime.MakeText(ReplaceText(runtime, ToText(runtime, input), ToText(runtime, *p[0]),
                                      ToText(runtime, *p[1]), most));
}

Value Indent(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("indent", arguments, {"width", "first", "blank"});
  if (!input.IsString()) {
    if (input.IsUndefined()) RaiseUndefined(input);
    Raise(fmt::format("indent() takes a string, not {}", input.TypeName()));
  }
  TextBuilder indention(&runtime.budget());
  if (p.Has(0) && p[0]->IsString()) {
    indention.Append(p[0]->str());
  } else {
    indention.AppendRepeated(" ", static_cast<std::size_t>(std::max(p.Whole(0, 4), 0LL)));
  }
  // The newline at the end keeps an empty last line.
  const std::string text = std::string(input.str()) + "\n";
  const auto lines = SplitLines(runtime, text, false);
  TextBuilder out(&runtime.budget());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out.Append("\n");
    const bool wanted = i == 0 ? p.Flag(1, false) : p.Flag(2, false) || !lines[i].empty();
    if (wanted) out.Append(indention.text());
    out.Append(lines[i]);
  }
  return runtime.MakeText(out.Take(), input.text().markup);
}

Value ToJson(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = p.Flag(0, false);
  style.sort_keys = p.Flag(3, false);
  if (p.Given(1)) {
    style.pretty = true;
    style.item_separator = std::string(1, ',');
    if (p[1]->IsString()) {
      style.indent = std::string(p[1]->str());
    } else {
      TextBuilder indent(&runtime.budget());
      indent.AppendRepeated(" ", static_cast<std::size_t>(std::max(p.Whole(1, 0), 0LL)));
      style.indent = indent.Take();
    }
  }
  if (p.Given(2)) {
    const std::vector<Value> separators = ItemsOf(runtime, *p[2]);
    if (separators.size() != 2 || !separators[0].IsString() || !separators[1].IsString()) {
      Raise("tojson(): separators must be two strings");
    }
    style.item_separator = std::string(separators[0].str());
    style.key_separator = std::string(separators[1].str());
  }
  return runtime.MakeText(DumpJson(runtime, input, style));
}

Value Join(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("join", arguments, {"d", "attribute"});
  const std::string separator = p.Has(0) ? ToText(runtime, *p[0]) : std::string();
  const AttributePath path(runtime, p[1]);
  const std::vector<Value> items = ItemsOf(runtime, input);
  TextBuilder out(&runtime.budget());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.Append(separator);
    out.Append(ToText(runtime, path.From(runtime, items[i])));
  }
  return runtime.MakeText(out.Take());
}

Value String(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("string", arguments, {});
  return SoftText(runtime, input);
}

Value Safe(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("safe", arguments, {});
  return runtime.MakeText(ToText(runtime, input), true);
}

Value Escape(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("escape", arguments, {});
  return EscapeValue(runtime, input);
}

Value ForceEscape(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("forceescape", arguments, {});
  return runtime.MakeText(EscapeHtml(ToText(runtime, input)), true);
}

Value Format(Runtime& runtime, const Value& input, Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty()) {
    Raise("format(): cannot take positional and keyword arguments at once");
  }
  const Value text = SoftText(runtime, input);
  if (arguments.named.empty()) {
    return FormatPercent(runtime, text.text(), runtime.MakeTuple(arguments.positional));
  }
  const auto named = runtime.MakeDict();
  for (const auto& [name, value] : arguments.named) named->Set(runtime.MakeText(name), value);
  return FormatPercent(runtime, text.text(), Value(std::shared_ptr<const Dict>(named)));
}

Value Center(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("center", arguments, {"width"});
  const Value text = SoftText(runtime, input);
  Arguments width;
  width.positional.emplace_back(static_cast<Int>(p.Whole(0, 80)));
  const Value method = GetAttribute(runtime, text, "center");
  return CallValue(runtime, method, width);
}

Value Truncate(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("truncate", arguments, {"length", "killwords", "end", "leeway"});
  if (!input.IsString()) Raise("truncate() takes a string");
  const std::string_view end = p.String(2, "..."), text = input.str();
  const auto end_length = static_cast<long long>(IndexOf(end, end.size()));
  const long long length = p.Whole(0, 255), leeway = p.Given(3) ? p.Whole(3, 5) : 5;
  if (length < end_length || leeway < 0) Raise("truncate(): length and leeway are too small");
  runtime.budget().SpendText(text.size());
  if (static_cast<long long>(input.text().length) - leeway <= length) return input;
  std::string_view kept =
      text.substr(0, OffsetOf(text, static_cast<std::size_t>(length - end_length)));
  if (!p.Flag(1, false)) kept = kept.substr(0, kept.rfind(' '));
  TextBuilder out(&runtime.budget());
  out.Append(kept);
  out.Append(end);
  return runtime.MakeText(out.Take(), input.text().markup);
}

Value WordCount(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("wordcount", arguments, {});
  const std::string text = ToText(runtime, input);
  runtime.budget().SpendText(text.size() * 8);
  std::size_t words = 0;
  bool in_word = false;
  for (std::string_view rest = text; !rest.empty();) {
    const Utf8Char c = DecodeUtf8(rest);
    const bool word = IsWord(c.code_point);
    words += word && !in_word;
    in_word = word;
    rest.remove_prefix(c.bytes);
  }
  return Value::FromSize(words);
}

std::string QuoteUrl(std::string_view text, bool for_query) {
  std::string out;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '_' || c == '.' || c == '-' || c == '~' || (c == '/' && !for_query)) {
      out += c;
    } else if (c == ' ' && for_query) {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Value UrlEncode(Runtime& runtime, const Value& input, Arguments& arguments) {
  const Parameters p("urlencode", arguments, {});
  if (input.IsString() || !CanIterate(input)) {
    return runtime.MakeText(QuoteUrl(ToText(runtime, input), false));
  }
  std::vector<Value> pairs;
  if (input.IsDict()) {
    pairs = DictView(input.dict_ref(), DictView::Part::kItems).Iterate(runtime);
  } else {
    pairs = ItemsOf(runtime, input);
  }
  TextBuilder out(&runtime.budget());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::vector<Value> pair = ItemsOf(runtime, pairs[i]);
    if (pair.size() != 2) Raise("urlencode() takes pairs");
    if (i > 0) out.Append("&");
    out.Append(QuoteUrl(ToText(runtime, pair[0]), true));
    out.Append("=");
    out.Append(QuoteUrl(ToText(runtime, pair[1]), true));
  }
  return runtime.MakeText(out.Take());
}

constexpr std::array<NamedFilter, 19> kFilters = {{
    {"capitalize", Mapped<Capitalize>},
    {"center", Center},
    {"e", Escape},
    {"escape", Escape},
    {"forceescape", ForceEscape},
    {"format", Format},
    {"indent", Indent},
    {"join", Join},
    {"lower", Mapped<ToLower>},
    {"replace", Replace},
    {"safe", Safe},
    {"string", String},
    {"title", Mapped<FilterTitle>},
    {"tojson", ToJson},
    {"trim", Trim},
    {"truncate", Truncate},
    {"upper", Mapped<ToUpper>},
    {"urlencode", UrlEncode},
    {"wordcount", WordCount},
}};

}  // namespace

FilterFunction FindTextFilter(std::string_view name) { return SearchFilters(kFilters, name); }

}  // namespace ergo::tokenizer::jinja
