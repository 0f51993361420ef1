#include "serve/tool_calls/syntaxes.h"

#include <random>
#include <utility>

#include "base/text.h"
#include "base/utf8.h"

namespace ergo::serve {

std::span<const ToolSyntax* const> ToolSyntaxes() {
  // Hermes is last: its form is what models that were not told of any other fall back to.
  static constexpr const ToolSyntax* kSyntaxes[] = {
      &kDeepSeekCalls,
      &kLlamaCalls,
      &kMistralCalls,
      &kHermesCalls,
  };
  return kSyntaxes;
}

const ToolSyntax& ToolSyntaxOf(std::string_view chat_template) {
  for (const ToolSyntax* syntax : ToolSyntaxes()) {
    if (syntax->fits(chat_template)) return *syntax;
  }
  return *ToolSyntaxes().back();
}

Result<std::size_t> EndOfJson(std::string_view text) {
  if (text.empty()) return std::string_view::npos;
  if (text.front() != '{' && text.front() != '[') return Fail("no JSON object");
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return i + 1;
  }
  return std::string_view::npos;
}

Result<ToolCall> CallFromJson(std::string_view text) {
  auto parsed = ParseOrderedJson(RepairUtf8(text), "call");
  if (!parsed) return Fail(std::move(parsed));
  if (!parsed->is_object()) return Fail("a call is not an object");
  ToolCall call;
  call.id = NewCallId();
  const auto name = parsed->find("name");
  if (name == parsed->end() || !name->is_string()) return Fail("a call has no name");
  call.name = name->get<std::string>();
  call.arguments = "{}";
  for (const char* field : {"arguments", "parameters"}) {
    const auto arguments = parsed->find(field);
    if (arguments == parsed->end()) continue;
    // Some models write the object as a string.
    call.arguments = arguments->is_string() ? arguments->get<std::string>() : arguments->dump();
    break;
  }
  return call;
}

std::string NewCallId() {
  static constexpr std::string_view kLetters =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  thread_local std::mt19937_64 random(std::random_device{}());
  std::uniform_int_distribution<std::size_t> letter(0, kLetters.size() - 1);
  std::string id = "call_";
  for (int i = 0; i < 24; ++i) id += kLetters[letter(random)];
  return id;
}

}  // namespace ergo::serve
