// A bound on how long a model thinks, and an answer in every case.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "generate/think/think_splitter.h"
#include "runtime/logit_hook.h"

namespace ergo::generate {

/// Ends thoughts from outside. Copies share one state; any thread.
class StopThinking {
 public:
  StopThinking() : requested_(std::make_shared<std::atomic<bool>>(false)) {}
  /// The thought is closed at the next token; later ones as soon as they are opened.
  void Request() { requested_->store(true, std::memory_order_relaxed); }
  bool requested() const { return requested_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> requested_;
};

struct ThinkBudgetOptions {
  static constexpr std::size_t kUnlimited = SIZE_MAX;

  /// Most tokens of all thoughts together, the phrase that closes them included.
  std::size_t budget = kUnlimited;
  /// Most tokens in all, tags and answer included, of which `answer_reserve` are kept for the
  /// answer, as far as there are so many.
  std::size_t max_tokens = kUnlimited;
  std::size_t answer_reserve = 0;
  /// When this share of the tokens that may be thought is used up, closing gets more likely: its
  /// logit grows by up to `soft_rise` towards the end of them, and within sentences by less.
  double soft_from = 0.8;
  float soft_rise = 15.0f;
  /// Stands before the closing tag where a thought is cut off, unless that leaves too little of the
  /// budget for the thought itself.
  std::string phrase = "\n\nTime to give the answer.\n";
  /// Stands before it where nothing has been thought; does not count.
  std::string empty_thought = "\n\n";
  /// Tokens that end an answer (LanguageModel::end_of_generation()).
  std::vector<TokenId> ends = {};
};

/// Closes thoughts in time and forbids to end without an answer:
/// - within a thought, what speaks for the end of the whole text speaks for the closing tag
/// instead;
/// - tokens that end the text are forbidden until the answer has shown something (unless nothing
///   else is possible, because of a constraint, say);
/// - with a budget of 0 a thought is closed as soon as it is opened, by the prompt or the model.
///
/// Counts tokens, so what it does depends on the sequence alone, but for StopThinking.
class ThinkBudget final : public runtime::LogitHook {
 public:
  /// `start`: ThinkTags::StartOf(prompt). Without tags (nullptr) it sees to the answer only.
  ThinkBudget(tokenizer::Tokenizer tokenizer, std::shared_ptr<const ThinkTags> tags,
              ThoughtStart start, ThinkBudgetOptions options, StopThinking stop = {});

  void Mask(std::span<float> logits) override;
  bool Accept(std::int32_t token) override;
  std::vector<std::int32_t> Forced() override;
  /// The copy has used up what this one has, and is stopped by the same StopThinking.
  std::unique_ptr<runtime::LogitHook> Fork() const override;

  /// Another one from here on: to stop a branch alone.
  void SetStop(StopThinking stop) { stop_ = std::move(stop); }
  const StopThinking& stop() const { return stop_; }
  std::size_t thought_tokens() const { return splitter_.thought_tokens(); }

 private:
  std::size_t Used() const { return splitter_.thought_tokens() - blank_; }
  std::size_t FreeThought() const;
  bool Fits(std::size_t tokens) const;
  const std::vector<TokenId>& Closing() const;
  TokenId NextOfClosing() const;
  void MaskThought(std::span<float> logits);
  void ForbidEnds(std::span<float> logits) const;
  float Rise() const;
  bool EndsSentence() const;
  void Look(const SplitToken& token);

  struct Phrases {
    std::vector<TokenId> closing;        ///< the tag alone
    std::vector<TokenId> cut_off;        ///< phrase and tag
    std::vector<TokenId> empty_thought;  ///< blank and tag
  };

  tokenizer::Tokenizer tokenizer_;
  std::shared_ptr<const ThinkTags> tags_;
  std::shared_ptr<const ThinkBudgetOptions> options_;
  std::shared_ptr<const Phrases> phrases_;
  StopThinking stop_;

  ThinkSplitter splitter_;
  std::size_t total_ = 0;  ///< tokens so far
  std::size_t blank_ = 0;  ///< of the thought tokens: those of empty_thought
  std::size_t forcings_ = 0;
  bool answer_visible_ = false;
  TokenId last_ = -1;
  bool raised_ = false;          ///< the last Mask made closing much more likely
  std::vector<TokenId> forced_;  ///< what is left of a closing that has begun
};

}  // namespace ergo::generate
