// From sampled tokens to the text that may be shown: whole characters, no stop string.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tokenizer/tokenizer.h"

namespace ergo::generate {

/// Errors: an empty stop string, one that is not UTF-8, too many of them.
Status CheckStops(const std::vector<std::string>& stops);

/// Looks for stop strings in a text that comes in parts.
class StopFilter {
 public:
  /// `stops` must have passed CheckStops.
  explicit StopFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Adds text and returns what can be no part of a stop string any more. Once a stop string is
  /// complete, everything from its start on is gone.
  std::string Push(std::string_view text);
  /// The text that was held back; nothing after a stop.
  std::string Finish();

  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

/// Tokens in, text out. The parts that Push and Finish return, one after the other, are the Decode
/// of the tokens without special ones, up to the first stop string.
class AnswerText {
 public:
  AnswerText(const tokenizer::Tokenizer& tokenizer, std::vector<std::string> stops)
      : decoder_(tokenizer), filter_(std::move(stops)) {}

  std::string Push(tokenizer::TokenId token) { return filter_.Push(decoder_.Push(token)); }
  std::string Finish();
  bool stopped() const { return filter_.stopped(); }

 private:
  tokenizer::StreamDecoder decoder_;
  StopFilter filter_;
};

}  // namespace ergo::generate
