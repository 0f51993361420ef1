// <tool_call>{"name": …, "arguments": {…}}</tool_call>, one after the other: Hermes, Qwen, Granite.
#include "base/text.h"
#include "serve/tool_calls/syntaxes.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kOpen = "<tool_call>";
constexpr std::string_view kClose = "</tool_call>";

bool Fits(std::string_view chat_template) {
  return chat_template.find(kOpen) != std::string_view::npos;
}

Result<std::vector<ToolCall>> Parse(std::string_view text, std::size_t* used) {
  *used = 0;
  const std::size_t close = text.find(kClose);
  std::string_view body = text.substr(kOpen.size());
  if (close == std::string_view::npos) return std::vector<ToolCall>();
  body = Trimmed(text.substr(kOpen.size(), close - kOpen.size()));
  auto call = CallFromJson(body);
  if (!call) return Fail(std::move(call));
  *used = close + kClose.size();
  return std::vector<ToolCall>{std::move(*call)};
}

}  // namespace

const ToolSyntax kHermesCalls = {.name = "hermes",
                                 .fits = Fits,
                                 .opens = {kOpen},
                                 .at_start = {},
                                 .parse = Parse,
                                 .before = "<tool_call>\n",
                                 .after = "\n</tool_call>",
                                 .arguments = "arguments"};

}  // namespace ergo::serve
