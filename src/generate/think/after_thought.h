// A constraint on the answer that leaves the thought before it free.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "generate/think/think_splitter.h"
#include "runtime/logit_hook.h"

namespace ergo::generate {

/// Lets another hook see and steer only what comes behind the thought.
///
/// If the prompt has opened the thought, the hook starts behind the closing tag. If not, the model
/// may open one as the very first thing (where the tags are tokens), else the hook has begun with
/// the first token. Behind a thought, or where the prompt has closed it, everything is the hook's.
class AfterThought final : public runtime::LogitHook {
 public:
  AfterThought(std::shared_ptr<const ThinkTags> tags, ThoughtStart start,
               std::unique_ptr<runtime::LogitHook> answer);

  void Mask(std::span<float> logits) override;
  bool Accept(std::int32_t token) override;
  std::vector<std::int32_t> Forced() override;
  std::unique_ptr<runtime::LogitHook> Fork() const override;

 private:
  enum class Phase {
    kMayOpen,  ///< nothing has come yet
    kOpening,  ///< part of a tag
    kThought,
    kAnswer,
  };
  AfterThought(const AfterThought& other);

  std::shared_ptr<const ThinkTags> tags_;
  ThinkSplitter splitter_;
  std::unique_ptr<runtime::LogitHook> answer_;
  Phase phase_;
};

}  // namespace ergo::generate
