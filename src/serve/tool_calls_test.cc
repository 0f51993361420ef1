// Calls of tools in answers that come in parts, for each syntax.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "serve/tool_calls/syntaxes.h"
#include "serve/tool_calls/tool_call.h"

namespace ergo::serve {
namespace {

struct Read {
  std::string text;
  std::vector<std::string> calls;  ///< "name arguments"
};

/// In parts of `size` bytes.
Read ReadIn(const ToolSyntax& syntax, std::string_view answer, std::size_t size) {
  ToolCallReader reader(syntax);
  Read read;
  const auto take = [&](ToolCallReader::Found found) {
    read.text += found.text;
    for (const ToolCall& call : found.calls) {
      read.calls.push_back(call.name + " " + call.arguments);
      EXPECT_TRUE(call.id.starts_with("call_"));
    }
  };
  for (std::size_t i = 0; i < answer.size(); i += size) take(reader.Push(answer.substr(i, size)));
  take(reader.Finish());
  return read;
}

struct Case {
  const ToolSyntax* syntax;
  std::string_view answer;
  std::string_view text;
  std::vector<std::string> calls;
};

TEST(ToolCallReader, FindsCallsHoweverTheyAreCut) {
  const std::vector<Case> cases = {
      {&kHermesCalls, "plain < text <tool", "plain < text <tool", {}},
      {&kHermesCalls,
       "Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
       "Let me see.\n",
       {"f {\"a\":1}"}},
      {&kHermesCalls,
       "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>\n"
       "<tool_call>{\"name\": \"g\", \"arguments\": {\"s\": \"</x>\"}}</tool_call>\n",
       "",
       {"f {}", "g {\"s\":\"</x>\"}"}},
      {&kHermesCalls, "<tool_call>no JSON</tool_call>!", "<tool_call>no JSON</tool_call>!", {}},
      {&kHermesCalls, "<tool_call>{\"name\": \"f\"", "<tool_call>{\"name\": \"f\"", {}},
      {&kLlamaCalls, "{\"name\": \"f\", \"parameters\": {\"a\": \"}\"}}", "", {"f {\"a\":\"}\"}"}},
      {&kLlamaCalls,
       "<|python_tag|>{\"name\": \"f\", \"parameters\": {}}; {\"name\": \"g\", \"parameters\": {}}",
       "",
       {"f {}", "g {}"}},
      {&kLlamaCalls, "See {\"name\": \"f\"} there", "See {\"name\": \"f\"} there", {}},
      {&kMistralCalls,
       "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {}}]",
       "",
       {"f {}", "g {}"}},
      {&kDeepSeekCalls,
       "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": "
       "1}\n```"
       "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
       "",
       {"f {\"a\": 1}"}},
  };
  for (const Case& one : cases) {
    for (const std::size_t size : {1, 3, 7, 1000}) {
      const Read read = ReadIn(*one.syntax, one.answer, size);
      EXPECT_EQ(read.calls, one.calls) << one.answer << " in " << size;
      EXPECT_EQ(read.text, one.text) << one.answer << " in " << size;
    }
  }
}

TEST(ToolSyntax, IsThatOfTheTemplate) {
  EXPECT_EQ(ToolSyntaxOf("… <tool_call> …").name, "hermes");
  EXPECT_EQ(ToolSyntaxOf("… [TOOL_CALLS] …").name, "mistral");
  EXPECT_EQ(ToolSyntaxOf("… <｜tool▁calls▁begin｜> …").name, "deepseek");
  EXPECT_EQ(ToolSyntaxOf("<|start_header_id|> … \"parameters\": …").name, "llama");
  EXPECT_EQ(ToolSyntaxOf("").name, "hermes");
}

TEST(ForcedCalls, RefuseWhatCannotBeCalled) {
  ToolUse use;
  use.choice = ToolChoice::kNamed;
  use.name = "f";
  EXPECT_FALSE(CompileForcedCalls(kHermesCalls, use));
  use.tools.push_back(
      {.name = "f",
       .parameters = OrderedJson::parse(
           R"({"$defs": {"c": {"enum": [1]}}, "properties": {"a": {"$ref": "#/$defs/c"}}})")});
  const auto grammar = CompileForcedCalls(kHermesCalls, use);
  EXPECT_TRUE(grammar) << grammar.error().Message();
  use.tools[0].parameters = OrderedJson::parse(R"({"not": {}})");
  EXPECT_FALSE(CompileForcedCalls(kHermesCalls, use));
}

}  // namespace
}  // namespace ergo::serve
