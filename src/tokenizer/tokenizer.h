// Text to token ids and back, as the model's own tokenizer does it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/model_files.h"

namespace ergo::tokenizer {

using TokenId = std::int32_t;

struct EncodeOptions {
  bool add_special = true;    ///< BOS, EOS and whatever else the post-processor adds
  bool parse_special = true;  ///< special tokens that stand in the text become their ids
};

/// A model's tokenizer. Immutable after Load, safe to use from many threads, cheap to copy (copies
/// share one vocabulary). Byte-level BPE and SentencePiece BPE, from a GGUF's keys or from the text
/// of a tokenizer.json.
class Tokenizer {
 public:
  /// Errors name the file and the key: a kind of tokenizer that is not supported, an unknown
  /// pre-tokenizer name, ids outside of the vocabulary, arrays whose lengths differ, merges of
  /// pieces that do not exist. Strings are copied: `files` may go away afterwards.
  static Result<Tokenizer> Load(const formats::ModelFiles& files);

  /// Ids of `text`. Invalid UTF-8 counts as U+FFFD, once for each maximal invalid part.
  std::vector<TokenId> Encode(std::string_view text, const EncodeOptions& options = {}) const;

  /// Text of `ids`; ids outside of the vocabulary are skipped. Byte tokens that form no character
  /// become U+FFFD, so that the result is always UTF-8.
  std::string Decode(std::span<const TokenId> ids, bool skip_special = false) const;

  /// The string as it stands in the vocabulary ("Ġthe", "▁the", "<0x0A>"); empty out of range.
  std::string_view Piece(TokenId id) const;

  /// The bytes that the id adds to a text in mid-sentence (" the", "\n"); empty out of range.
  /// May be part of a character.
  std::string PieceBytes(TokenId id) const;

  /// Control tokens: shown in no answer, removed by skip_special.
  bool IsSpecial(TokenId id) const;

  /// The id of a string of the vocabulary.
  std::optional<TokenId> Find(std::string_view piece) const;

  /// Number of ids: every id is in [0, size()).
  std::size_t size() const;

  std::optional<TokenId> bos() const;
  std::optional<TokenId> eos() const;

  /// Ids that end an answer: eos, and those that end a turn (<|im_end|>, <|eot_id|>,
  /// <end_of_turn> …). Sorted, unique.
  const std::vector<TokenId>& end_of_generation() const;

  /// Whether Encode with add_special starts with bos().
  bool adds_bos() const;

  /// The model's chat template (Jinja source); empty when it has none.
  const std::string& chat_template() const;

 private:
  friend class StreamDecoder;
  struct Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

/// Incremental detokenization that never emits part of a character. The pieces that Push and Finish
/// return, one after the other, are the Decode of all ids.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true);
  ~StreamDecoder();
  StreamDecoder(StreamDecoder&&) noexcept;
  StreamDecoder& operator=(StreamDecoder&&) noexcept;

  /// The text that is now certain; often empty in the middle of a character.
  std::string Push(TokenId id);

  /// The rest: U+FFFD for a character that was never completed. Ready for another text afterwards.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ergo::tokenizer
