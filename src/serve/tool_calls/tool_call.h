// Calls of tools in what models write.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "generate/constrain/grammar.h"

namespace ergo::serve {

struct Tool {
  std::string name;
  std::string description = {};
  OrderedJson parameters = OrderedJson::object();  ///< JSON schema of the arguments
};

struct ToolCall {
  std::string id;  ///< "call_…"
  std::string name;
  std::string arguments;  ///< JSON text of an object
};

enum class ToolChoice {
  kNone,      ///< write text
  kAuto,      ///< as the model likes
  kRequired,  ///< at least one call
  kNamed,     ///< this one
};

/// What a request says about tools.
struct ToolUse {
  std::vector<Tool> tools = {};
  ToolChoice choice = ToolChoice::kAuto;
  std::string name = {};  ///< with kNamed
  bool parallel = true;   ///< more than one call in an answer
};

/// How one family of models writes calls. One file each in tool_calls/; the list is in
/// tool_calls/syntaxes.cc.
struct ToolSyntax {
  std::string_view name;
  /// Whether models with this chat template write calls so.
  bool (*fits)(std::string_view chat_template);
  /// Texts that begin a call. What may turn out to be one is held back; a text that begins with
  /// one of `at_start` is a call only at the answer's start.
  std::vector<std::string_view> opens;
  std::vector<std::string_view> at_start;
  /// Reads a call at the start of `text`, which begins with an opening. `used` is how much of it
  /// belongs to the calls. Incomplete: 0 is used, and more text is waited for; that it is no call
  /// is an error.
  Result<std::vector<ToolCall>> (*parse)(std::string_view text, std::size_t* used);
  /// What stands before and after the JSON object {"name": …, <arguments>: …} of a call that is
  /// forced, and the name of the field with its arguments.
  std::string_view before;
  std::string_view after;
  std::string_view arguments;
};

std::span<const ToolSyntax* const> ToolSyntaxes();
/// That of a chat template; the last of the list (Hermes) if none fits.
const ToolSyntax& ToolSyntaxOf(std::string_view chat_template);

/// Finds calls in an answer that comes in parts.
class ToolCallReader {
 public:
  explicit ToolCallReader(const ToolSyntax& syntax) : syntax_(&syntax) {}

  struct Found {
    std::string text = {};  ///< that belongs to no call
    std::vector<ToolCall> calls = {};
  };
  Found Push(std::string_view text);
  /// What was held back; a call that is not complete is text.
  Found Finish();

 private:
  void Look(bool at_end, Found* found);

  const ToolSyntax* syntax_;
  std::string held_;
  bool written_ = false;  ///< something but white space was text
  bool called_ = false;
};

/// The language of answers that make the calls that `use` demands: kRequired or kNamed. Errors:
/// a schema that is not supported, a name that no tool has.
Result<std::shared_ptr<const generate::constrain::Grammar>> CompileForcedCalls(
    const ToolSyntax& syntax, const ToolUse& use);

/// A new id: "call_" and 24 random characters.
std::string NewCallId();

}  // namespace ergo::serve
