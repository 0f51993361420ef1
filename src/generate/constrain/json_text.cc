#include "generate/constrain/json_text.h"

#include <utility>
#include <vector>

namespace ergo::generate::constrain {

std::string JsonEscaped(std::string_view text) {
  std::string out;
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20) {
          out += "\\u00";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
        } else {
          out += c;
        }
    }
  }
  return out;
}

JsonText::JsonText(Expressions* expressions, JsonSpacing spacing) : expressions_(*expressions) {
  constexpr std::uint32_t kMaxIndent = 40;
  Expressions& e = expressions_;
  const ExprId space =
      spacing == JsonSpacing::kCompact ? Expressions::kEmptyExpr : e.Optional(e.Bytes(" "));
  comma_ = e.Concat({e.Bytes(","), space});
  colon_ = e.Concat({e.Bytes(":"), space});
  if (spacing == JsonSpacing::kFlexible) {
    CharSet indent = CharSet::Of(' ', ' ');
    indent.Add('\t');
    const ExprId line = e.Concat({e.Bytes("\n"), e.Repeat(e.Chars(indent), 0, kMaxIndent)});
    gap_ = e.Optional(e.OneOf({e.Bytes(" "), line}));
    comma_ = e.Concat({e.Bytes(","), gap_});
  }
}

ExprId JsonText::Shared(std::optional<RuleId>* rule, ExprId (JsonText::*make)()) {
  if (!*rule) {
    *rule = expressions_.AddRule("");
    expressions_.Define(**rule, (this->*make)());
  }
  return expressions_.Call(**rule);
}

ExprId JsonText::AnyString() { return Shared(&string_, &JsonText::MakeString); }
ExprId JsonText::AnyNumber() { return Shared(&number_, &JsonText::MakeNumber); }
ExprId JsonText::AnyInteger() { return Shared(&integer_, &JsonText::MakeInteger); }
ExprId JsonText::AnyObject() { return Shared(&object_, &JsonText::MakeObject); }
ExprId JsonText::AnyArray() { return Shared(&array_, &JsonText::MakeArray); }
ExprId JsonText::AnyValue() { return Shared(&value_, &JsonText::MakeValue); }

ExprId JsonText::StringChar() {
  if (char_) return *char_;
  Expressions& e = expressions_;
  CharSet plain = CharSet::Of(0x20, kMaxCodePoint);
  CharSet quote = CharSet::Of('"', '"');
  quote.Add('\\');
  plain = plain.Without(quote);
  CharSet letters = quote;
  for (const char c : std::string_view("/bfnrt")) letters.Add(static_cast<std::uint32_t>(c));
  const auto digits = [&](std::initializer_list<std::pair<char, char>> ranges) {
    CharSet set;
    for (const auto& [first, last] : ranges) {
      set.Add(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last));
    }
    return e.Chars(set);
  };
  const ExprId hex = digits({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
  const ExprId d = digits({{'d', 'd'}, {'D', 'D'}});
  // Surrogates come in pairs: \uD800 to \uDBFF, then \uDC00 to \uDFFF.
  const ExprId ordinary = e.OneOf(
      {e.Concat({digits({{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}}), hex}),
       e.Concat({d, digits({{'0', '7'}})})});
  const ExprId high = e.Concat({d, digits({{'8', '9'}, {'a', 'b'}, {'A', 'B'}}), hex, hex});
  const ExprId low = e.Concat({d, digits({{'c', 'f'}, {'C', 'F'}}), hex, hex});
  const ExprId coded =
      e.OneOf({e.Concat({ordinary, hex, hex}), e.Concat({high, e.Bytes("\\u"), low})});
  const ExprId escape =
      e.Concat({e.Bytes("\\"), e.OneOf({e.Chars(letters), e.Concat({e.Bytes("u"), coded})})});
  char_ = e.OneOf({e.Chars(plain), escape});
  return *char_;
}

ExprId JsonText::Quoted(ExprId inner) {
  return expressions_.Concat({expressions_.Bytes("\""), inner, expressions_.Bytes("\"")});
}

ExprId JsonText::String(std::string_view text) {
  return expressions_.Bytes("\"" + JsonEscaped(text) + "\"");
}

ExprId JsonText::MakeString() { return Quoted(expressions_.Repeat(StringChar(), 0, kUnlimited)); }

ExprId JsonText::MakeInteger() {
  Expressions& e = expressions_;
  const ExprId digits = e.Repeat(e.Chars(CharSet::Of('0', '9')), 0, kUnlimited);
  return e.Concat({e.Optional(e.Bytes("-")),
                   e.OneOf({e.Bytes("0"), e.Concat({e.Chars(CharSet::Of('1', '9')), digits})})});
}

ExprId JsonText::MakeNumber() {
  Expressions& e = expressions_;
  const ExprId digits = e.Repeat(e.Chars(CharSet::Of('0', '9')), 1, kUnlimited);
  CharSet exponent = CharSet::Of('e', 'e');
  exponent.Add('E');
  CharSet sign = CharSet::Of('+', '+');
  sign.Add('-');
  return e.Concat({MakeInteger(), e.Optional(e.Concat({e.Bytes("."), digits})),
                   e.Optional(e.Concat({e.Chars(exponent), e.Optional(e.Chars(sign)), digits}))});
}

ExprId JsonText::Between(char open, ExprId item, char close) {
  Expressions& e = expressions_;
  const ExprId more = e.Repeat(e.Concat({comma_, item}), 0, kUnlimited);
  return e.Concat({e.Bytes(std::string_view(&open, 1)),
                   e.Optional(e.Concat({gap_, item, more, gap_})),
                   e.Bytes(std::string_view(&close, 1))});
}

ExprId JsonText::MakeObject() {
  return Between('{', expressions_.Concat({AnyString(), colon_, AnyValue()}), '}');
}

ExprId JsonText::MakeArray() { return Between('[', AnyValue(), ']'); }

ExprId JsonText::MakeValue() {
  Expressions& e = expressions_;
  return e.OneOf({AnyString(), AnyNumber(), AnyObject(), AnyArray(), e.Bytes("true"),
                  e.Bytes("false"), e.Bytes("null")});
}

ExprId JsonText::Value(const OrderedJson& value) {
  Expressions& e = expressions_;
  if (value.is_string()) return String(value.get_ref<const std::string&>());
  if (!value.is_structured()) return e.Bytes(value.dump());
  const bool object = value.is_object();
  if (value.empty()) return e.Bytes(object ? "{}" : "[]");
  std::vector<ExprId> parts = {e.Bytes(object ? "{" : "["), gap_};
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (item != value.begin()) parts.push_back(comma_);
    if (object) {
      parts.push_back(String(item.key()));
      parts.push_back(colon_);
    }
    parts.push_back(Value(*item));
  }
  parts.push_back(gap_);
  parts.push_back(e.Bytes(object ? "}" : "]"));
  return e.Concat(std::move(parts));
}

}  // namespace ergo::generate::constrain
