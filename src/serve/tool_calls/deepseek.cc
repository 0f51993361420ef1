// <｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME\n```json\n{…}\n```<｜tool▁call▁end｜>, within
// <｜tool▁calls▁begin｜> and <｜tool▁calls▁end｜>: DeepSeek V3 and R1.
#include "base/text.h"
#include "serve/tool_calls/syntaxes.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kAllOpen = "<｜tool▁calls▁begin｜>";
constexpr std::string_view kAllClose = "<｜tool▁calls▁end｜>";
constexpr std::string_view kOpen = "<｜tool▁call▁begin｜>";
constexpr std::string_view kClose = "<｜tool▁call▁end｜>";
constexpr std::string_view kSeparator = "<｜tool▁sep｜>";

bool Fits(std::string_view chat_template) {
  return chat_template.find(kAllOpen) != std::string_view::npos;
}

Result<ToolCall> ParseOne(std::string_view body) {
  const std::size_t separator = body.find(kSeparator);
  if (separator == std::string_view::npos) return Fail("a call has no name");
  body.remove_prefix(separator + kSeparator.size());
  const std::size_t line = body.find('\n');
  const std::size_t brace = body.find('{');
  if (brace == std::string_view::npos) return Fail("a call has no arguments");
  const auto end = EndOfJson(body.substr(brace));
  if (!end || *end == std::string_view::npos) return Fail("a call's arguments are no object");
  ToolCall call;
  call.id = NewCallId();
  call.name = Trimmed(body.substr(0, std::min(line, brace)));
  call.arguments = body.substr(brace, *end);
  return call;
}

Result<std::vector<ToolCall>> Parse(std::string_view text, std::size_t* used) {
  *used = 0;
  std::vector<ToolCall> calls;
  const std::size_t all = text.find(kAllClose);
  if (all == std::string_view::npos) return calls;
  std::string_view rest = text.substr(kAllOpen.size(), all - kAllOpen.size());
  for (std::size_t open; (open = rest.find(kOpen)) != std::string_view::npos;) {
    const std::size_t close = rest.find(kClose, open);
    if (close == std::string_view::npos) return Fail("a call is not closed");
    auto call = ParseOne(rest.substr(open + kOpen.size(), close - open - kOpen.size()));
    if (!call) return Fail(std::move(call));
    calls.push_back(std::move(*call));
    rest.remove_prefix(close + kClose.size());
  }
  *used = all + kAllClose.size();
  return calls;
}

}  // namespace

const ToolSyntax kDeepSeekCalls = {.name = "deepseek",
                                   .fits = Fits,
                                   .opens = {kAllOpen},
                                   .at_start = {},
                                   .parse = Parse,
                                   .before = "",
                                   .after = "",
                                   .arguments = "arguments"};

}  // namespace ergo::serve
