// From the strings of a vocabulary back to text.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tokenizer/normalizer.h"

namespace ergo::tokenizer {

/// Turns each piece into bytes on its own, so that a stream and a whole sequence give the same
/// text. Immutable.
class Decoder {
 public:
  /// Pieces in the byte alphabet (byte_alphabet.h) become bytes, others stay.
  struct ByteLevel {};
  /// "<0x0A>" becomes that byte.
  struct ByteFallback {};
  /// The replacement becomes a space; in the first piece it goes, where a prefix was put.
  struct Metaspace {
    std::string replacement = "\u2581";
    bool drop_first = true;
  };
  /// The suffix becomes a space; in the last piece it goes.
  struct WordSuffix {
    std::string suffix = "</w>";
  };
  /// Up to `start` and `stop` characters `content` go at both ends of each piece.
  struct StripEach {
    std::string content = " ";
    std::size_t start = 0;
    std::size_t stop = 0;
  };
  /// Pieces with a space between them: what a tokenizer without a decoder gives.
  struct Spaced {};
  using Step =
      std::variant<ReplaceStep, ByteLevel, ByteFallback, Metaspace, WordSuffix, StripEach, Spaced>;

  Decoder() = default;
  explicit Decoder(std::vector<Step> steps, std::size_t strip_start = 0)
      : steps_(std::move(steps)), strip_start_(strip_start) {}

  /// From the "decoder" member of a tokenizer.json. Errors name `where` and what is not supported.
  static Result<Decoder> FromJson(const Json& json, const std::string& where);

  struct Place {
    bool first = false;
    bool last = false;
  };
  /// Appends the bytes of one piece; they may be part of a character.
  void Append(std::string_view piece, Place place, std::string* bytes) const;

  /// Characters strip_content() to remove at the start of the whole text.
  std::size_t strip_start() const { return strip_start_; }
  std::string_view strip_content() const { return strip_content_; }

  /// Whether the last piece is written differently: a stream then holds one piece back.
  bool needs_last() const;

 private:
  std::vector<Step> steps_;
  std::size_t strip_start_ = 0;
  std::string strip_content_ = " ";
};

}  // namespace ergo::tokenizer
