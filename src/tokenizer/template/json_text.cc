// json.dumps() of values.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(Runtime& runtime, const JsonStyle& style)
      : runtime_(runtime), style_(style), out_(&runtime.budget()) {}

  void Write(const Value& value);
  std::string Take() { return out_.Take(); }

 private:
  void WriteText(std::string_view text);
  void WriteList(const std::vector<Value>& items);
  void WriteDict(const Dict& dict);
  void WriteKey(const Value& key);
  void BreakLine();
  static std::string NumberText(double value);

  Runtime& runtime_;
  const JsonStyle& style_;
  TextBuilder out_;
  std::size_t level_ = 0;
};

std::string JsonWriter::NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return FloatText(value);
}

void JsonWriter::BreakLine() {
  if (!style_.pretty) return;
  out_.Append("\n");
  out_.AppendRepeated(style_.indent, level_);
}

void AppendEscaped(std::uint32_t code_point, std::string* out) {
  switch (code_point) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    default:
      break;
  }
  if (code_point < 0x10000) {
    *out += fmt::format("\\u{:04x}", code_point);
    return;
  }
  const std::uint32_t rest = code_point - 0x10000;
  *out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
}

void JsonWriter::WriteText(std::string_view text) {
  std::string quoted = "\"";
  quoted.reserve(text.size() + 2);
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    const bool plain = c.code_point >= 0x20 && c.code_point != '"' && c.code_point != '\\' &&
                       (c.code_point < 0x7F || !style_.ensure_ascii);
    if (plain) {
      quoted += text.substr(0, c.bytes);
    } else {
      AppendEscaped(c.code_point, &quoted);
    }
    text.remove_prefix(c.bytes);
  }
  out_.Append(quoted);
  out_.Append("\"");
}

void JsonWriter::WriteList(const std::vector<Value>& items) {
  if (items.empty()) return out_.Append("[]");
  out_.Append("[");
  ++level_;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out_.Append(style_.item_separator);
    BreakLine();
    Write(items[i]);
  }
  --level_;
  BreakLine();
  out_.Append("]");
}

void JsonWriter::WriteKey(const Value& key) {
  switch (key.kind()) {
    case Kind::kString:
      return WriteText(key.str());
    case Kind::kNone:
      return WriteText("null");
    case Kind::kBool:
      return WriteText(key.boolean() ? "true" : "false");
    case Kind::kInt:
      return WriteText(IntText(key.whole()));
    case Kind::kFloat:
      return WriteText(NumberText(key.real()));
    default:
      Raise(fmt::format("keys must be str, int, float, bool or None, not {}", key.TypeName()));
  }
}

void JsonWriter::WriteDict(const Dict& dict) {
  if (dict.size() == 0) return out_.Append("{}");
  std::vector<Value> keys, order;
  for (std::size_t i = 0; i < dict.size(); ++i) {
    keys.push_back(dict.entries()[i].first);
    order.push_back(Value::FromSize(i));
  }
  if (style_.sort_keys) order = SortByKeys(runtime_, std::move(order), keys, false);
  out_.Append("{");
  ++level_;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& [key, value] = dict.entries()[static_cast<std::size_t>(order[i].whole())];
    if (i > 0) out_.Append(style_.item_separator);
    BreakLine();
    WriteKey(key);
    out_.Append(style_.key_separator);
    Write(value);
  }
  --level_;
  BreakLine();
  out_.Append("}");
}

void JsonWriter::Write(const Value& value) {
  const Level level(&runtime_.budget());
  switch (value.kind()) {
    case Kind::kNone:
      return out_.Append("null");
    case Kind::kBool:
      return out_.Append(value.boolean() ? "true" : "false");
    case Kind::kInt:
      return out_.Append(IntText(value.whole()));
    case Kind::kFloat:
      return out_.Append(NumberText(value.real()));
    case Kind::kString:
      return WriteText(value.str());
    case Kind::kList:
    case Kind::kTuple:
      return WriteList(value.items());
    case Kind::kDict:
      return WriteDict(value.dict());
    case Kind::kUndefined:
      RaiseUndefined(value);
    case Kind::kObject:
      break;
  }
  Raise(fmt::format("Object of type {} is not JSON serializable", value.TypeName()));
}

}  // namespace

std::string DumpJson(Runtime& runtime, const Value& value, const JsonStyle& style) {
  JsonWriter writer(runtime, style);
  writer.Write(value);
  return writer.Take();
}

}  // namespace ergo::tokenizer::jinja
