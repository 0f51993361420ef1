// Tokens that are found in the text as a whole, before any splitting.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace ergo::tokenizer {

struct AddedToken {
  std::string content;
  TokenId id = -1;
  bool special = false;      ///< not looked for when special tokens are text
  bool single_word = false;  ///< only between characters that are no word characters
  bool lstrip = false;       ///< takes the white space before it along
  bool rstrip = false;       ///< takes the white space after it along
  bool normalized = false;   ///< looked for in the normalized text
};

/// Finds added tokens, leftmost and longest first. Immutable.
class AddedTokenFinder {
 public:
  /// One part of a text: an added token, or (id < 0) the text between two.
  struct Part {
    TokenId id;
    std::string_view text;
  };

  AddedTokenFinder() = default;
  /// Of tokens with the same content the last counts; those that are empty or no UTF-8, and so
  /// in no text, are left out.
  explicit AddedTokenFinder(std::vector<AddedToken> tokens);

  bool empty() const { return tokens_.empty(); }

  /// Parts that cover `text` (valid UTF-8), none of them empty text.
  std::vector<Part> Split(std::string_view text, bool find_special) const;

 private:
  const AddedToken* LongestAt(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> tokens_;               ///< sorted by content: a trie by bisection
  std::array<std::uint32_t, 257> first_byte_{};  ///< tokens_ that start with byte b: [b], [b + 1]
};

}  // namespace ergo::tokenizer
