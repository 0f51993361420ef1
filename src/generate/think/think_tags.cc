#include "generate/think/think_tags.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace ergo::generate {
namespace {

/// Opening tag, closing tag, and a further closing tag where there is one.
struct Family {
  std::string_view texts[3];
};

// clang-format off
constexpr Family kFamilies[] = {
    {{"<think>", "</think>"}},                      // DeepSeek R1 and V3.1, Qwen3, GLM 4.5, many more
    {{"<|START_THINKING|>", "<|END_THINKING|>"}},   // Command A Reasoning
    {{"[THINK]", "[/THINK]"}},                      // Magistral
    {{"<seed:think>", "</seed:think>"}},            // Seed-OSS
    {{"◁think▷", "◁/think▷"}},                      // Kimi
    {{"<|inner_prefix|>", "<|inner_suffix|>"}},     // Apertus
    {{"<|begin_of_thought|>", "<|end_of_thought|>"}},  // OpenThinker
    {{"<thought>", "</thought>"}},                  // EXAONE Deep
    {{"<reasoning>", "</reasoning>"}},              // Reka Flash 3
    {{"<thinking>", "</thinking>"}},
    // gpt-oss: channels of a message, whose last one may also come without a thought before it.
    {{"<|channel|>analysis<|message|>",
      "<|end|><|start|>assistant<|channel|>final<|message|>", "<|channel|>final<|message|>"}},
};
// clang-format on

std::span<const std::string_view> TextsOf(const Family& family) {
  return std::span(family.texts).first(family.texts[2].empty() ? 2 : 3);
}

std::vector<TokenId> EncodeTag(const tokenizer::Tokenizer& tokenizer, std::string_view text) {
  if (const auto id = tokenizer.Find(text)) return {*id};
  return tokenizer.Encode(text, {.add_special = false, .parse_special = true});
}

std::string BytesOf(const tokenizer::Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  std::string bytes;
  for (const TokenId token : tokens) bytes += tokenizer.PieceBytes(token);
  return bytes;
}

bool EndsWith(std::span<const TokenId> tokens, const std::vector<TokenId>& end) {
  return tokens.size() >= end.size() &&
         std::equal(end.begin(), end.end(), tokens.end() - static_cast<std::ptrdiff_t>(end.size()));
}

}  // namespace

bool IsBlank(std::string_view bytes) {
  while (!bytes.empty()) {
    const Utf8Char c = DecodeUtf8(bytes);
    const std::uint32_t p = c.code_point;
    const bool blank =
        c.valid && (p <= 0x20 || p == 0x7F || p == 0x85 || p == 0xA0 || p == 0x1680 ||
                    (p >= 0x2000 && p <= 0x200F) || p == 0x2028 || p == 0x2029 || p == 0x202F ||
                    p == 0x205F || p == 0x2060 || p == 0x3000 || p == 0xFEFF);
    if (!blank) return false;
    bytes.remove_prefix(c.bytes);
  }
  return true;
}

std::shared_ptr<const ThinkTags> ThinkTags::Find(const tokenizer::Tokenizer& tokenizer) {
  const std::string& chat_template = tokenizer.chat_template();
  const auto named = [&](const Family& family) {
    return chat_template.find(family.texts[0]) != std::string::npos ||
           chat_template.find(family.texts[1]) != std::string::npos;
  };
  std::shared_ptr<ThinkTags> tags(new ThinkTags(tokenizer));
  for (const Family& family : kFamilies) {
    if (named(family) && tags->UseTokens(TextsOf(family))) return tags;
  }
  for (const Family& family : kFamilies) {
    if (named(family) && tags->UseText(TextsOf(family))) return tags;
  }
  for (const Family& family : kFamilies) {
    if (tags->UseTokens(TextsOf(family))) return tags;
  }
  return nullptr;
}

bool ThinkTags::UseTokens(std::span<const std::string_view> texts) {
  std::vector<ThinkTag> tags;
  for (const std::string_view text : texts) {
    ThinkTag tag = {std::string(text), EncodeTag(tokenizer_, text)};
    const bool own = tag.tokens.size() == 1 && tokenizer_.Piece(tag.tokens[0]) == text;
    const auto special = [&](TokenId token, auto stands) {
      const std::string_view piece = tokenizer_.Piece(token);
      return tokenizer_.IsSpecial(token) && !piece.empty() && stands(piece);
    };
    const bool framed =
        tag.tokens.size() > 1 &&
        special(tag.tokens.front(),
                [&](std::string_view piece) { return text.starts_with(piece); }) &&
        special(tag.tokens.back(), [&](std::string_view piece) { return text.ends_with(piece); });
    if (!own && !framed) return false;
    tags.push_back(std::move(tag));
  }
  opening_ = std::move(tags.front());
  closings_.assign(std::make_move_iterator(tags.begin() + 1), std::make_move_iterator(tags.end()));
  return true;
}

bool ThinkTags::UseText(std::span<const std::string_view> texts) {
  std::vector<ThinkTag> tags;
  for (const std::string_view text : texts) {
    ThinkTag tag = {std::string(text), EncodeTag(tokenizer_, text)};
    // Some tokenizers write a space before every text.
    const std::string bytes = BytesOf(tokenizer_, tag.tokens);
    if (bytes.size() < text.size() || !bytes.ends_with(text) ||
        !IsBlank(std::string_view(bytes).substr(0, bytes.size() - text.size()))) {
      return false;
    }
    tags.push_back(std::move(tag));
  }
  opening_ = std::move(tags.front());
  closings_.assign(std::make_move_iterator(tags.begin() + 1), std::make_move_iterator(tags.end()));
  spelled_ = true;
  FindOverrunning();
  return true;
}

void ThinkTags::FindOverrunning() {
  const std::string& tag = closing().text;
  for (std::size_t id = 0; id < tokenizer_.size(); ++id) {
    const auto token = static_cast<TokenId>(id);
    const std::string bytes = tokenizer_.PieceBytes(token);
    for (std::size_t at = 0; at < tag.size(); ++at) {
      const std::string_view rest = std::string_view(tag).substr(at);
      if (bytes.size() <= rest.size() || !bytes.starts_with(rest)) continue;
      if (IsBlank(std::string_view(bytes).substr(rest.size()))) continue;
      overrunning_.push_back(token);
      break;
    }
  }
}

ThoughtStart ThinkTags::StartOf(std::span<const TokenId> prompt) const {
  const auto blank = [&](TokenId token) {
    return !tokenizer_.IsSpecial(token) && IsBlank(tokenizer_.PieceBytes(token));
  };
  if (!spelled_) {
    while (!prompt.empty() && blank(prompt.back())) prompt = prompt.first(prompt.size() - 1);
    if (EndsWith(prompt, opening_.tokens)) return ThoughtStart::kOpen;
    for (const ThinkTag& closing : closings_) {
      if (EndsWith(prompt, closing.tokens)) return ThoughtStart::kClosed;
    }
    return ThoughtStart::kUnopened;
  }
  std::string end;
  const std::size_t enough = std::max(opening_.text.size(), closing().text.size());
  while (!prompt.empty() && end.size() < enough) {
    end.insert(0, tokenizer_.PieceBytes(prompt.back()));
    prompt = prompt.first(prompt.size() - 1);
    while (!end.empty() && IsBlank(std::string_view(end).substr(end.size() - 1))) end.pop_back();
  }
  if (end.ends_with(opening_.text)) return ThoughtStart::kOpen;
  return end.ends_with(closing().text) ? ThoughtStart::kClosed : ThoughtStart::kUnopened;
}

std::vector<TokenId> ThinkTags::EncodeClosing(std::string_view text) const {
  const tokenizer::EncodeOptions plain = {.add_special = false, .parse_special = false};
  if (spelled_) return tokenizer_.Encode(std::string(text) + closing().text, plain);
  std::vector<TokenId> tokens;
  if (!text.empty()) tokens = tokenizer_.Encode(text, plain);
  tokens.insert(tokens.end(), closing().tokens.begin(), closing().tokens.end());
  return tokens;
}

}  // namespace ergo::generate
