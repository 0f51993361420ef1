// A tokenizer of single bytes, for tests.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "base/utf8.h"
#include "tokenizer/tokenizer.h"

namespace ergo::generate::testing {

inline constexpr tokenizer::TokenId kBos = 1;
inline constexpr tokenizer::TokenId kEos = 2;
inline constexpr tokenizer::TokenId kTurnStart = 3;
inline constexpr tokenizer::TokenId kTurnEnd = 4;
inline constexpr std::size_t kVocabulary = 211;

/// "<|im_start|>role\ncontent<|im_end|>\n" for every message.
inline constexpr const char* kTemplate =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// How byte-level BPE writes a byte (GPT-2's table).
inline std::string AlphabetLetter(int byte) {
  const auto printable = [](int b) {
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  };
  int code = byte;
  if (!printable(byte)) {
    code = 256;
    for (int b = 0; b < byte; ++b) code += printable(b) ? 0 : 1;
  }
  std::string letter;
  AppendUtf8(static_cast<std::uint32_t>(code), &letter);
  return letter;
}

/// The tokenizer.json: ids 0 to 4 are special, the others bytes: newline, 0x20 to 0x7E, 0x80 to
/// 0xBF, 0xC2 to 0xEF.
inline Json ByteTokenizer() {
  Json vocabulary = Json::object();
  Json added = Json::array();
  tokenizer::TokenId id = 0;
  for (const char* name : {"<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"}) {
    vocabulary[name] = id;
    added.push_back({{"id", id++},
                     {"content", name},
                     {"special", true},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false}});
  }
  for (int byte = 0; byte < 256; ++byte) {
    const bool used = byte == '\n' || (byte >= 0x20 && byte < 0x7F) ||
                      (byte >= 0x80 && byte < 0xC0) || (byte >= 0xC2 && byte < 0xF0);
    if (used) vocabulary[AlphabetLetter(byte)] = id++;
  }
  Json bos = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  return {
      {"version", "1.0"},
      {"added_tokens", added},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
      {"post_processor",
       {{"type", "TemplateProcessing"},
        {"single", {bos, text}},
        {"pair", {bos, text}},
        {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {kBos}}, {"tokens", {"<s>"}}}}}}}},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}}};
}

}  // namespace ergo::generate::testing
