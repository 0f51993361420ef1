#include "tokenizer/template/chat_template.h"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "base/utf8.h"
#include "tokenizer/template/evaluator.h"
#include "tokenizer/template/lexer.h"
#include "tokenizer/template/parser.h"

namespace ergo::tokenizer {
namespace {

using jinja::Runtime;
using jinja::TemplateError;
using jinja::Value;

Value Convert(Runtime& runtime, const OrderedJson& json);

Value ConvertObject(Runtime& runtime, const OrderedJson& json) {
  const auto made = runtime.MakeDict();
  for (auto it = json.begin(); it != json.end(); ++it) {
    made->Set(runtime.MakeText(RepairUtf8(it.key())), Convert(runtime, it.value()));
  }
  return Value(std::shared_ptr<const jinja::Dict>(made));
}

Value ConvertArray(Runtime& runtime, const OrderedJson& json) {
  std::vector<Value> items;
  items.reserve(json.size());
  for (const OrderedJson& item : json) items.push_back(Convert(runtime, item));
  return runtime.MakeList(std::move(items));
}

// One level of the stack for each level of the JSON, bounded by the budget.
Value Convert(Runtime& runtime, const OrderedJson& json) {
  const jinja::Level level(&runtime.budget());
  switch (json.type()) {
    case OrderedJson::value_t::null:
      return Value();
    case OrderedJson::value_t::boolean:
      return Value(json.get<bool>());
    case OrderedJson::value_t::number_integer:
      return Value(static_cast<jinja::Int>(json.get<std::int64_t>()));
    case OrderedJson::value_t::number_unsigned:
      return Value(static_cast<jinja::Int>(json.get<std::uint64_t>()));
    case OrderedJson::value_t::number_float:
      return Value(json.get<double>());
    case OrderedJson::value_t::string:
      return runtime.MakeText(RepairUtf8(json.get_ref<const std::string&>()));
    case OrderedJson::value_t::array:
      return ConvertArray(runtime, json);
    case OrderedJson::value_t::object:
      return ConvertObject(runtime, json);
    default:
      jinja::Raise("a template variable is no JSON value");
  }
}

// Errors are one line, and a template may raise any text as one.
constexpr std::size_t kMaxErrorBytes = 1000;

std::string OneLine(std::string_view text) {
  std::string line(text.substr(0, kMaxErrorBytes));
  line.resize(CompleteUtf8Prefix(line));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line.empty() ? "the template raises an exception without a message" : line;
}

tl::unexpected<Error> FailIn(const std::string& where, const TemplateError& error,
                             std::uint32_t line) {
  const std::uint32_t at = error.line != 0 ? error.line : line;
  return Fail(OneLine(error.message), at == 0 ? where : fmt::format("{}, line {}", where, at));
}

std::string RunTemplate(jinja::Evaluator& evaluator, const ParsedTemplate& parsed,
                        const OrderedJson& variables) {
  for (std::size_t i = 0; i < parsed.names.size(); ++i) {
    const auto found = variables.find(parsed.names[i]);
    if (found == variables.end()) continue;
    evaluator.Define(static_cast<jinja::NameId>(i), Convert(evaluator.runtime(), *found));
  }
  return evaluator.Run();
}

}  // namespace

Result<ChatTemplate> ChatTemplate::Parse(std::string_view source, std::string where,
                                         const TemplateLimits& limits) {
  if (source.size() > limits.max_template_bytes) {
    return Fail(fmt::format("the template has {} bytes, more than {}", source.size(),
                            limits.max_template_bytes),
                where);
  }
  if (const auto invalid = FindInvalidUtf8(source)) {
    return Fail(fmt::format("the template is not valid UTF-8 at byte {}", *invalid), where,
                "save it as UTF-8");
  }
  auto parsed = std::make_shared<ParsedTemplate>();
  parsed->where = where;
  parsed->limits = limits;
  try {
    jinja::Parser(jinja::Tokenize(source), limits, parsed.get()).Parse();
  } catch (const TemplateError& error) {
    return FailIn(where, error, 0);
  } catch (const std::bad_alloc&) {
    return Fail("out of memory while parsing the template", where);
  }
  return ChatTemplate(std::move(parsed));
}

Result<std::string> ChatTemplate::Render(const OrderedJson& variables) const {
  if (!variables.is_object()) {
    return Fail("the variables of a template must be a JSON object", parsed_->where);
  }
  jinja::Evaluator evaluator(*parsed_);
  try {
    return RunTemplate(evaluator, *parsed_, variables);
  } catch (const TemplateError& error) {
    return FailIn(parsed_->where, error, evaluator.line());
  } catch (const std::bad_alloc&) {
    return Fail("out of memory while rendering the template", parsed_->where);
  }
}

}  // namespace ergo::tokenizer
