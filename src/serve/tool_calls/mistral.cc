// [TOOL_CALLS] [{"name": …, "arguments": {…}}, …]: Mistral.
#include "base/text.h"
#include "serve/tool_calls/syntaxes.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kOpen = "[TOOL_CALLS]";

bool Fits(std::string_view chat_template) {
  return chat_template.find(kOpen) != std::string_view::npos;
}

Result<std::vector<ToolCall>> Parse(std::string_view text, std::size_t* used) {
  *used = 0;
  std::vector<ToolCall> calls;
  const std::size_t start = text.find_first_not_of(" \t\r\n", kOpen.size());
  if (start == std::string_view::npos) return calls;
  const auto end = EndOfJson(text.substr(start));
  if (!end) return tl::unexpected(end.error());
  if (*end == std::string_view::npos) return calls;
  const std::string_view json = text.substr(start, *end);
  const auto parsed = ParseOrderedJson(json, "calls");
  if (!parsed) return tl::unexpected(parsed.error());
  const OrderedJson list = parsed->is_array() ? *parsed : OrderedJson::array({*parsed});
  for (const OrderedJson& item : list) {
    auto call = CallFromJson(item.dump());
    if (!call) return Fail(std::move(call));
    calls.push_back(std::move(*call));
  }
  *used = start + *end;
  return calls;
}

}  // namespace

const ToolSyntax kMistralCalls = {.name = "mistral",
                                  .fits = Fits,
                                  .opens = {kOpen},
                                  .at_start = {},
                                  .parse = Parse,
                                  .before = "[TOOL_CALLS][",
                                  .after = "]",
                                  .arguments = "arguments"};

}  // namespace ergo::serve
