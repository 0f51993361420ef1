// How a model marks its thoughts.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace ergo::generate {

using tokenizer::TokenId;

/// Where a text begins that goes on from a prompt.
enum class ThoughtStart {
  kUnopened,  ///< before a thought, if there will be one
  kOpen,      ///< within a thought that the prompt has opened: "<think>\n" ends it
  kClosed,    ///< behind a thought that the prompt has closed
};

/// One opening or closing tag.
struct ThinkTag {
  std::string text;
  std::vector<TokenId> tokens;  ///< what writes it
};

/// The tags of one model. Immutable: share it between threads.
///
/// Where the tags are tokens of their own (or sequences that such tokens begin and end), they are
/// found by their ids, and ordinary tokens that spell the same text are text. Where the chat
/// template uses tags that are no tokens, they are spelled in ordinary tokens, whose borders need
/// not be those of the tag, and are found by their bytes.
class ThinkTags {
 public:
  /// nullptr if neither the vocabulary nor the chat template has tags of thoughts.
  static std::shared_ptr<const ThinkTags> Find(const tokenizer::Tokenizer& tokenizer);

  const ThinkTag& opening() const { return opening_; }
  /// The first one is what closes a thought; others do so too, or come where there is no thought.
  const std::vector<ThinkTag>& closings() const { return closings_; }
  const ThinkTag& closing() const { return closings_.front(); }
  /// Found by bytes, not by ids.
  bool spelled() const { return spelled_; }
  const tokenizer::Tokenizer& tokenizer() const { return tokenizer_; }

  /// What a prompt's end says; only white space may stand behind the tag.
  ThoughtStart StartOf(std::span<const TokenId> prompt) const;

  /// Tokens of `text` and the closing tag behind it.
  std::vector<TokenId> EncodeClosing(std::string_view text) const;

  /// If spelled: tokens that end the closing tag and go on with something visible. Sorted.
  const std::vector<TokenId>& overrunning() const { return overrunning_; }

 private:
  explicit ThinkTags(tokenizer::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}
  bool UseTokens(std::span<const std::string_view> texts);
  bool UseText(std::span<const std::string_view> texts);
  void FindOverrunning();

  tokenizer::Tokenizer tokenizer_;
  ThinkTag opening_;
  std::vector<ThinkTag> closings_;
  bool spelled_ = false;
  std::vector<TokenId> overrunning_;
};

/// Whether a token shows nothing: white space (Unicode's, and characters of no width), or no bytes.
bool IsBlank(std::string_view bytes);

}  // namespace ergo::generate
