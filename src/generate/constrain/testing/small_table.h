// A small vocabulary of single bytes and some longer tokens, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generate/constrain/constraint.h"

namespace ergo::generate::constrain::testing {

inline constexpr TokenId kEndToken = 256;
inline constexpr TokenId kSpecialToken = 257;

/// Id n < 256 is the byte n; 256 ends answers, 257 is special; then tokens as real vocabularies
/// have them, many of which go from one part of a text to the next.
inline std::vector<std::string> SmallPieces() {
  std::vector<std::string> pieces;
  for (int byte = 0; byte < 256; ++byte) pieces.emplace_back(1, static_cast<char>(byte));
  pieces.emplace_back();
  pieces.emplace_back();
  for (const char* text :
       {"ab",   "abc",   "abcd",    "the",   " the",    "name",    "\"name",   "\":",  "\": ",
        "\",",  "\", ",  "{\"",     "\"}",   "\"]",     "],",      "}]",       "},",   "}}",
        "]]",   "[[",    "[\"",     "\":\"", "\": \"",  "a\"",     "ab\"",     "a\",", "a\"}",
        "true", "false", "null",    "tru",   "ue",      "12",      "123",      "1,",   "1}",
        "1]",   "12,",   "0.",      ".5",    "e1",      "E+",      "-1",       "  ",   "    ",
        "\n",   "\n  ",  ",\n",     "{\n",   "red",     "reddish", "green",    "dish", "\\\"",
        "\\n",  "\\u",   "\\u00",   "é",     "日本",    "日",      "\xE6\x97", "\xA5", "\xF0\x9F",
        "😀",   "a1",    "b2",      "aa",    "aaa",     "aaaa",    "aaaaaaaa", "bb",   "foo",
        "oo",   "xyz",   "a.b",     "-",     "2024",    "01",      "-01",      "T",    ":00",
        "@",    ".com",  "example", "id",    "\"id\":", "value",   "a b"}) {
    pieces.emplace_back(text);
  }
  return pieces;
}

/// The longest token at each place.
inline std::vector<TokenId> EncodeGreedily(const std::vector<std::string>& pieces,
                                           std::string_view text) {
  std::vector<TokenId> ids;
  while (!text.empty()) {
    TokenId best = -1;
    std::size_t length = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (pieces[i].size() > length && text.starts_with(pieces[i])) {
        best = static_cast<TokenId>(i);
        length = pieces[i].size();
      }
    }
    ids.push_back(best);
    text.remove_prefix(length);
  }
  return ids;
}

inline std::shared_ptr<const TokenTable> SmallTable() {
  static const std::shared_ptr<const TokenTable> table = [] {
    const std::vector<std::string> pieces = SmallPieces();
    const std::vector<TokenId> ends = {kEndToken};
    auto made = TokenTable::Create(
        pieces, ends, [pieces](std::string_view text) { return EncodeGreedily(pieces, text); });
    EXPECT_TRUE(made.has_value());
    return *made;
  }();
  return table;
}

/// Whether a grammar has this text, byte by byte.
inline bool Matches(const std::shared_ptr<const Grammar>& grammar, std::string_view text) {
  Machine machine(grammar);
  SetId set = machine.start();
  for (const char c : text) set = machine.Step(set, static_cast<std::uint8_t>(c));
  return machine.CanEnd(set);
}

}  // namespace ergo::generate::constrain::testing
