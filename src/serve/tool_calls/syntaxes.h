// Every syntax of calls, one file each; the list is in syntaxes.cc.
#pragma once

#include "serve/tool_calls/tool_call.h"

namespace ergo::serve {

extern const ToolSyntax kDeepSeekCalls;
extern const ToolSyntax kHermesCalls;
extern const ToolSyntax kLlamaCalls;
extern const ToolSyntax kMistralCalls;

/// The end of the JSON value that begins `text`, npos if it is not complete. Error: none begins.
Result<std::size_t> EndOfJson(std::string_view text);
/// A call from {"name": …, "arguments" | "parameters": …}. Errors: no such object.
Result<ToolCall> CallFromJson(std::string_view text);

}  // namespace ergo::serve
