// Prompts and grammars, which are data: one file for each purpose, language and, where a family of
// models needs its own, family.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "reasoning/model/text_model.h"

namespace ergo::reasoning {

enum class PromptLanguage { kEnglish, kChinese };
/// Chinese where a Han character stands in the text, else English.
PromptLanguage LanguageOf(std::string_view text);

/// What stands for {name} in a prompt.
using PromptValue = std::pair<std::string_view, std::string_view>;

/// The prompt <language>/<name>.<family>.txt if there is one, else <language>/<name>.txt.
///
/// A file holds messages, each behind a line @system, @user or @assistant; a last @assistant
/// message that is not followed by @end is the start of the answer. {name} is replaced by its
/// value, whose own braces are left alone; {name} without a value stays as it is. Error: no such
/// file, or one that is no prompt.
struct PromptChoice {
  std::string_view name;
  PromptLanguage language = PromptLanguage::kEnglish;
  std::string_view family = {};
};
Result<Prompt> MakePrompt(const PromptChoice& choice, std::span<const PromptValue> values);

/// A file of texts, one a line: <language>/<name>.txt, or a grammar <language>/<name>.gbnf.
Result<std::string_view> PromptText(std::string_view file, PromptLanguage language);

}  // namespace ergo::reasoning
