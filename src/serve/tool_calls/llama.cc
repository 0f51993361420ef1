// {"name": …, "parameters": {…}} as the whole answer, or behind <|python_tag|>; several calls are
// parted by ';': Llama 3.1 and later.
#include "base/text.h"
#include "serve/tool_calls/syntaxes.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kTag = "<|python_tag|>";

bool Fits(std::string_view chat_template) {
  return chat_template.find("<|start_header_id|>") != std::string_view::npos &&
         chat_template.find("\"parameters\"") != std::string_view::npos;
}

Result<std::vector<ToolCall>> Parse(std::string_view text, std::size_t* used) {
  *used = 0;
  std::size_t at = text.starts_with(kTag) ? kTag.size() : 0;
  std::vector<ToolCall> calls;
  while (at < text.size()) {
    const std::size_t next = text.find_first_not_of(" \t\r\n;", at);
    if (next == std::string_view::npos) break;
    if (text[next] != '{' && !calls.empty()) break;
    const auto end = EndOfJson(text.substr(next));
    if (!end) return tl::unexpected(end.error());
    if (*end == std::string_view::npos) break;
    auto call = CallFromJson(text.substr(next, *end));
    if (!call) {
      if (calls.empty()) return Fail(std::move(call));
      break;
    }
    calls.push_back(std::move(*call));
    at = next + *end;
    *used = at;
  }
  return calls;
}

}  // namespace

const ToolSyntax kLlamaCalls = {.name = "llama",
                                .fits = Fits,
                                .opens = {kTag},
                                .at_start = {"{\"name\"", "{ \"name\"", "{\"type\""},
                                .parse = Parse,
                                .before = "",
                                .after = "",
                                .arguments = "parameters"};

}  // namespace ergo::serve
