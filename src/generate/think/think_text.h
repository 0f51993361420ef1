// From tokens to two texts: the thought and the answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generate/answer_text.h"
#include "generate/think/think_splitter.h"

namespace ergo::generate {

/// What one more token adds to the texts.
struct ThinkTextParts {
  std::string thought = {};
  std::string answer = {};
};

/// Tokens in, texts out, whole characters only. Tags belong to neither text. If there is a thought,
/// white space at both ends of it and at the start of the answer is left out; without one the
/// answer is the Decode of all tokens but special ones. Stop strings end the answer, and are looked
/// for in it only.
class ThinkText {
 public:
  /// `stops` must have passed CheckStops. Without tags everything is answer.
  ThinkText(const tokenizer::Tokenizer& tokenizer, std::shared_ptr<const ThinkTags> tags,
            ThoughtStart start, std::vector<std::string> stops);

  ThinkTextParts Push(tokenizer::TokenId token);
  ThinkTextParts Finish();

  /// Whether a stop string has ended the answer.
  bool stopped() const { return filter_.stopped(); }
  bool in_thought() const { return splitter_.in_thought(); }

  /// All so far. They are the parts that were returned, one after the other, but in two cases: a
  /// closing tag that nothing opened makes the answer up to there a thought, and when Finish is
  /// called in a thought in which another one was closed, what stands behind that is the answer.
  const std::string& thought() const { return thought_; }
  const std::string& answer() const { return answer_; }

 private:
  void Add(const SplitToken& token, ThinkTextParts* parts);
  void EndPart(ThinkTextParts* parts);
  void AddText(ThoughtPart part, std::string text, ThinkTextParts* parts);
  void MoveAnswerToThought();

  tokenizer::StreamDecoder decoder_;
  StopFilter filter_;
  ThinkSplitter splitter_;
  ThoughtPart part_;           ///< of the last token
  bool trim_answer_;           ///< white space at its start is left out
  std::string space_;          ///< may be the start of the answer
  std::string thought_space_;  ///< may be the end of the thought
  std::string thought_;
  std::string answer_;
  std::size_t inner_end_ = 0;  ///< length of the thought when one within it was closed last
};

}  // namespace ergo::generate
