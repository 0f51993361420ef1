#include "serve/endpoints/openai_fields.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <utility>

#include "base/utf8.h"
#include "generate/constrain/compile.h"
#include "generate/constrain/constraint.h"

namespace ergo::serve {
namespace {

using generate::constrain::Constraint;
using GrammarPtr = std::shared_ptr<const generate::constrain::Grammar>;

template <typename T>
void Read(const OrderedJson& body, const char* name, std::optional<T>* target) {
  const auto found = body.find(name);
  if (found != body.end() && found->is_number()) *target = found->get<T>();
}

/// Ids are keys of an object there; what is no number is refused by nobody else.
void ReadBias(const OrderedJson& body, SamplingFields* fields) {
  const auto found = body.find("logit_bias");
  if (found == body.end() || !found->is_object()) return;
  for (const auto& [id, bias] : found->items()) {
    std::int32_t token = -1;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), token);
    if (error != std::errc() || end != id.data() + id.size()) token = -1;
    fields->logit_bias.emplace_back(token, bias.get<float>());
  }
}

void ReadStop(const OrderedJson& body, SamplingFields* fields) {
  const auto found = body.find("stop");
  if (found == body.end()) return;
  if (found->is_string() && !found->get_ref<const std::string&>().empty()) {
    fields->stop.push_back(found->get<std::string>());
  }
  if (found->is_array()) fields->stop = found->get<std::vector<std::string>>();
}

/// The grammar that a body asks for; nullptr: none.
Result<GrammarPtr> GrammarOf(const OrderedJson& body) {
  namespace constrain = generate::constrain;
  // Line ends and indents are tokens that nobody reads.
  const constrain::JsonSchemaOptions options = {.spacing = constrain::JsonSpacing::kOneLine};
  const auto given = [&](const char* name) {
    const auto found = body.find(name);
    return found == body.end() || found->is_null() ? nullptr : &*found;
  };
  if (const OrderedJson* format = given("response_format")) {
    const std::string type = format->value("type", "text");
    if (type == "text") return GrammarPtr();
    if (type == "json_object") return constrain::CompileAnyJsonObject(options);
    if (type == "regex") return constrain::CompileRegex(format->value("pattern", ""));
    if (type != "json_schema") return Fail("the type of a response format is not known", type);
    const auto wrapper = format->find("json_schema");
    const OrderedJson* schema = wrapper != format->end() ? &*wrapper : nullptr;
    if (schema != nullptr && schema->is_object() && schema->contains("schema")) {
      schema = &(*schema)["schema"];
    }
    if (schema == nullptr) return Fail("there is no schema", "response_format.json_schema");
    return constrain::CompileParsedJsonSchema(*schema, options, "response_format");
  }
  if (const OrderedJson* schema = given("guided_json")) {
    return schema->is_string()
               ? constrain::CompileJsonSchema(schema->get<std::string>(), options, "guided_json")
               : constrain::CompileParsedJsonSchema(*schema, options, "guided_json");
  }
  if (const OrderedJson* regex = given("guided_regex")) {
    return constrain::CompileRegex(regex->get<std::string>(), "guided_regex");
  }
  if (const OrderedJson* grammar = given("guided_grammar")) {
    return constrain::CompileGbnf(grammar->get<std::string>(), "guided_grammar");
  }
  if (const OrderedJson* choices = given("guided_choice")) {
    return constrain::CompileChoices(choices->get<std::vector<std::string>>(), "guided_choice");
  }
  return GrammarPtr();
}

Served<std::string> TextOfParts(const OrderedJson& parts, const std::string& place) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string type = parts[i].value("type", "text");
    if (type != "text" && type != "input_text" && type != "output_text" && type != "refusal") {
      return Refuse(FailureKind::kInvalid,
                    fmt::format("this model reads text only, not {}", QuoteForMessage(type)),
                    "unsupported_content", fmt::format("{}[{}]", place, i));
    }
    text += parts[i].value("text", "");
  }
  return text;
}

}  // namespace

SamplingFields ReadSampling(const OrderedJson& body) {
  SamplingFields fields;
  Read(body, "temperature", &fields.temperature);
  Read(body, "top_p", &fields.top_p);
  Read(body, "top_k", &fields.top_k);
  Read(body, "min_p", &fields.min_p);
  Read(body, "typical_p", &fields.typical_p);
  Read(body, "repetition_penalty", &fields.repetition_penalty);
  Read(body, "frequency_penalty", &fields.frequency_penalty);
  Read(body, "presence_penalty", &fields.presence_penalty);
  Read(body, "seed", &fields.seed);
  Read(body, "max_tokens", &fields.max_tokens);
  Read(body, "max_completion_tokens", &fields.max_tokens);
  ReadBias(body, &fields);
  ReadStop(body, &fields);
  fields.ignore_end = Field(body, "ignore_eos", false);
  const auto stops = body.find("stop_token_ids");
  if (stops != body.end() && stops->is_array()) {
    fields.stop_tokens = stops->get<std::vector<std::int32_t>>();
  }
  fields.think_budget = ReadThinkWish(body).budget;
  return fields;
}

Served<std::shared_ptr<const Constraint>> ReadFormat(const generate::LanguageModel& model,
                                                     const OrderedJson& body) {
  auto grammar = GrammarOf(body);
  if (!grammar) return Refuse(grammar.error(), "response_format");
  if (*grammar == nullptr) return nullptr;
  auto table = model.token_table();
  if (!table) return Refuse(table.error());
  auto constraint = Constraint::Create(*std::move(grammar), *std::move(table));
  if (!constraint) return Refuse(constraint.error(), "response_format");
  return *std::move(constraint);
}

Served<std::optional<ToolUse>> ReadTools(const OrderedJson& body) {
  const auto tools = body.find("tools");
  const auto choice = body.find("tool_choice");
  ToolUse use;
  if (tools != body.end() && tools->is_array()) {
    for (const OrderedJson& item : *tools) {
      const OrderedJson& function = item["function"];
      Tool tool = {function["name"].get<std::string>(),
                   Field<std::string>(function, "description", {})};
      const auto parameters = function.find("parameters");
      if (parameters != function.end() && parameters->is_object()) tool.parameters = *parameters;
      use.tools.push_back(std::move(tool));
    }
  }
  if (choice != body.end() && choice->is_string()) {
    if (*choice == "none") use.choice = ToolChoice::kNone;
    if (*choice == "required") use.choice = ToolChoice::kRequired;
  } else if (choice != body.end() && choice->is_object()) {
    use.choice = ToolChoice::kNamed;
    use.name = (*choice)["function"]["name"].get<std::string>();
  }
  if (use.tools.empty() && use.choice != ToolChoice::kRequired &&
      use.choice != ToolChoice::kNamed) {
    return std::optional<ToolUse>();
  }
  use.parallel = Field(body, "parallel_tool_calls", true);
  return std::optional<ToolUse>(std::move(use));
}

Served<OrderedJson> ReadMessages(const OrderedJson& messages) {
  OrderedJson read = messages;
  for (std::size_t i = 0; i < read.size(); ++i) {
    OrderedJson& message = read[i];
    const std::string place = fmt::format("messages[{}].content", i);
    auto content = message.find("content");
    if (content == message.end() || content->is_null()) {
      message["content"] = "";
    } else if (content->is_array()) {
      auto text = TextOfParts(*content, place);
      if (!text) return tl::unexpected(text.error());
      *content = std::move(*text);
    }
    const auto calls = message.find("tool_calls");
    if (calls == message.end()) continue;
    if (calls->is_null()) {
      message.erase("tool_calls");
      continue;
    }
    for (OrderedJson& call : *calls) {
      // Templates write arguments with their filter tojson: they want the object.
      OrderedJson& function = call["function"];
      const auto arguments = function.find("arguments");
      if (arguments == function.end() || !arguments->is_string()) continue;
      auto parsed = ParseOrderedJson(arguments->get_ref<const std::string&>(), place);
      if (parsed && parsed->is_object()) *arguments = std::move(*parsed);
    }
  }
  return read;
}

OrderedJson UsageJson(const GenerationOutcome& outcome) {
  const generate::Usage& usage = outcome.usage;
  OrderedJson json = {{"prompt_tokens", usage.prompt_tokens},
                      {"completion_tokens", usage.completion_tokens},
                      {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
  json["prompt_tokens_details"] = {{"cached_tokens", usage.cached_tokens}};
  json["completion_tokens_details"] = {{"reasoning_tokens", outcome.thought_tokens}};
  return json;
}

OrderedJson TimingsJson(const generate::Timings& timings) {
  return {{"queue_ms", timings.queue_ms},
          {"prompt_ms", timings.prompt_ms},
          {"first_token_ms", timings.first_token_ms},
          {"decode_ms", timings.decode_ms},
          {"prompt_tokens_per_second", timings.prompt_tokens_per_second},
          {"decode_tokens_per_second", timings.decode_tokens_per_second}};
}

OrderedJson ChatLogprobsJson(const generate::LanguageModel& model,
                             const std::vector<generate::TokenScore>& scores) {
  const auto token = [&](std::int32_t id, float logprob) {
    const std::string bytes = model.tokenizer().PieceBytes(id);
    OrderedJson list = OrderedJson::array();
    for (const char byte : bytes) list.push_back(static_cast<unsigned char>(byte));
    OrderedJson json = {{"token", RepairUtf8(bytes)}, {"logprob", logprob}};
    json["bytes"] = std::move(list);
    return json;
  };
  OrderedJson content = OrderedJson::array();
  for (const generate::TokenScore& score : scores) {
    OrderedJson entry = token(score.token, score.logprob);
    entry["top_logprobs"] = OrderedJson::array();
    for (const auto& other : score.top) {
      entry["top_logprobs"].push_back(token(other.token, other.logprob));
    }
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}};
}

OrderedJson ToolCallJson(const ToolCall& call) {
  OrderedJson function = {{"name", call.name}, {"arguments", call.arguments}};
  return {{"id", call.id}, {"type", "function"}, {"function", std::move(function)}};
}

std::string ReplyId(std::string_view prefix, const Call& call) {
  static const std::int64_t kStarted = UnixSeconds();
  return fmt::format("{}{:x}{}", prefix, kStarted, call.request().id.substr(4));
}

std::int64_t UnixSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace ergo::serve
