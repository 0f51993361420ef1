#include <fmt/format.h>

#include <utility>

#include "generate/constrain/compile.h"
#include "serve/tool_calls/tool_call.h"

namespace ergo::serve {
namespace {

constexpr std::uint32_t kMostCalls = 32;

/// References within a tool's schema mean that schema, which lies at `place` of the whole.
void MoveReferences(OrderedJson* schema, const std::string& place) {
  if (schema->is_array()) {
    for (OrderedJson& item : *schema) MoveReferences(&item, place);
  }
  if (!schema->is_object()) return;
  for (const auto& [name, value] : schema->items()) {
    if (name == "$ref" && value.is_string()) {
      const auto target = value.get<std::string>();
      if (target.starts_with("#/") || target == "#") value = place + target.substr(1);
    } else {
      MoveReferences(&value, place);
    }
  }
}

OrderedJson CallSchema(const Tool& tool, std::string_view arguments, const std::string& place) {
  OrderedJson parameters = tool.parameters;
  if (!parameters.is_object()) parameters = OrderedJson::object();
  if (!parameters.contains("type")) parameters["type"] = "object";
  MoveReferences(&parameters, fmt::format("#{}/properties/{}", place, arguments));
  OrderedJson schema;
  schema["type"] = "object";
  schema["properties"] = {{"name", {{"const", tool.name}}}};
  schema["properties"][std::string(arguments)] = std::move(parameters);
  schema["required"] = OrderedJson::array({"name", arguments});
  schema["additionalProperties"] = false;
  return schema;
}

}  // namespace

Result<std::shared_ptr<const generate::constrain::Grammar>> CompileForcedCalls(
    const ToolSyntax& syntax, const ToolUse& use) {
  OrderedJson calls = OrderedJson::array();
  for (const Tool& tool : use.tools) {
    if (use.choice == ToolChoice::kNamed && tool.name != use.name) continue;
    calls.push_back(CallSchema(tool, syntax.arguments, fmt::format("/anyOf/{}", calls.size())));
  }
  if (calls.empty()) {
    return Fail(use.choice == ToolChoice::kNamed
                    ? fmt::format("no tool is named '{}'", use.name)
                    : std::string("a call is required, but there are no tools"),
                "tool_choice", "name one of the tools");
  }
  const bool many = use.parallel && use.choice == ToolChoice::kRequired && !syntax.before.empty();
  const generate::constrain::JsonFrame frame = {.before = std::string(syntax.before),
                                                .after = std::string(syntax.after),
                                                .between = "\n",
                                                .most = many ? kMostCalls : 1};
  return generate::constrain::CompileFramedJsonSchema(
      OrderedJson{{"anyOf", std::move(calls)}}, frame,
      {.spacing = generate::constrain::JsonSpacing::kOneLine}, "tools");
}

}  // namespace ergo::serve
