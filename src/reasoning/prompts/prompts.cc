#include "reasoning/prompts/prompts.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "reasoning/prompts/embedded.h"

namespace ergo::reasoning {
namespace {

constexpr const char* kWhere = "prompts";

std::string_view Folder(PromptLanguage language) {
  return language == PromptLanguage::kChinese ? "zh" : "en";
}

const EmbeddedFile* FindFile(const std::string& path) {
  for (const EmbeddedFile& file : PromptFiles()) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

std::string Fill(std::string_view text, std::span<const PromptValue> values) {
  std::string filled;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    filled += text.substr(0, open);
    if (open == std::string_view::npos) break;
    text.remove_prefix(open);
    bool replaced = false;
    for (const auto& [name, value] : values) {
      if (text.size() < name.size() + 2 || text.substr(1, name.size()) != name ||
          text[name.size() + 1] != '}') {
        continue;
      }
      filled += value;
      text.remove_prefix(name.size() + 2);
      replaced = true;
      break;
    }
    if (replaced) continue;
    filled += '{';
    text.remove_prefix(1);
  }
  return filled;
}

std::string_view WithoutLastLineEnd(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text;
}

}  // namespace

PromptLanguage LanguageOf(std::string_view text) {
  // U+4E00 to U+9FFF: E4 B8 80 to E9 BF BF.
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0xE4 || lead > 0xE9) continue;
    if (lead == 0xE4 && static_cast<unsigned char>(text[i + 1]) < 0xB8) continue;
    return PromptLanguage::kChinese;
  }
  return PromptLanguage::kEnglish;
}

Result<std::string_view> PromptText(std::string_view file, PromptLanguage language) {
  const std::string path = fmt::format("{}/{}", Folder(language), file);
  const EmbeddedFile* found = FindFile(path);
  if (found == nullptr) return Fail(fmt::format("there is no file {}", path), kWhere);
  return found->text;
}

Result<Prompt> MakePrompt(const PromptChoice& choice, std::span<const PromptValue> values) {
  const std::string_view folder = Folder(choice.language);
  const EmbeddedFile* file = nullptr;
  if (!choice.family.empty()) {
    file = FindFile(fmt::format("{}/{}.{}.txt", folder, choice.name, choice.family));
  }
  const std::string plain = fmt::format("{}/{}.txt", folder, choice.name);
  if (file == nullptr) file = FindFile(plain);
  if (file == nullptr) return Fail(fmt::format("there is no prompt {}", plain), kWhere);
  Prompt prompt;
  bool closed = false;
  std::string_view rest = file->text;
  while (!rest.empty()) {
    if (rest.front() != '@') return Fail("a message must begin with its role", plain);
    const std::size_t line = rest.find('\n');
    const std::string_view role = rest.substr(1, line - 1);
    rest = line == std::string_view::npos ? std::string_view() : rest.substr(line + 1);
    if (role == "end") {
      closed = true;
      continue;
    }
    closed = false;
    const std::size_t next = rest.starts_with('@') ? 0 : rest.find("\n@");
    const std::size_t size =
        next == std::string_view::npos ? rest.size() : next + (next == 0 ? 0 : 1);
    prompt.messages.push_back(
        {std::string(role), Fill(WithoutLastLineEnd(rest.substr(0, size)), values)});
    rest.remove_prefix(size);
  }
  if (!closed && !prompt.messages.empty() && prompt.messages.back().role == "assistant") {
    prompt.answer_start = std::move(prompt.messages.back().text);
    prompt.messages.pop_back();
  }
  if (prompt.messages.empty()) return Fail("it holds no message", plain);
  return prompt;
}

}  // namespace ergo::reasoning
