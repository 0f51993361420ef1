// The two texts of one answer, whether its model marks thoughts or not.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "generate/answer_text.h"
#include "generate/language_model.h"
#include "generate/session.h"
#include "generate/think/think_text.h"

namespace ergo::generate {

/// Without tags of thoughts the text comes as it is.
class AnswerTexts {
 public:
  AnswerTexts(const LanguageModel& model, std::span<const TokenId> prompt,
              const std::vector<std::string>& stops)
      : answer_(model.tokenizer(), stops) {
    const std::shared_ptr<const ThinkTags>& tags = model.think_tags();
    if (tags) thinking_.emplace(model.tokenizer(), tags, tags->StartOf(prompt), stops);
  }

  ThinkTextParts Push(TokenId token) {
    if (thinking_) return thinking_->Push(token);
    return Plain(answer_.Push(token));
  }
  ThinkTextParts Finish() {
    if (thinking_) return thinking_->Finish();
    return Plain(answer_.Finish());
  }
  /// By a stop string.
  bool stopped() const { return thinking_ ? thinking_->stopped() : answer_.stopped(); }
  bool in_thought() const { return thinking_ && thinking_->in_thought(); }
  void Store(GenerateResult* result) {
    result->text = thinking_ ? thinking_->answer() : std::move(plain_);
    if (thinking_) result->thought = thinking_->thought();
  }

 private:
  ThinkTextParts Plain(std::string part) {
    plain_ += part;
    return {.thought = {}, .answer = std::move(part)};
  }

  AnswerText answer_;
  std::string plain_;
  std::optional<ThinkText> thinking_;
};

}  // namespace ergo::generate
