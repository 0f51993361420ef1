#include "generate/think/steering.h"

#include <utility>
#include <vector>

#include "generate/hook_chain.h"
#include "generate/think/after_thought.h"

namespace ergo::generate {

std::unique_ptr<runtime::LogitHook> Steer(const tokenizer::Tokenizer& tokenizer,
                                          Steering steering) {
  std::vector<std::unique_ptr<runtime::LogitHook>> hooks;
  if (steering.constraint != nullptr && steering.tags != nullptr) {
    hooks.push_back(std::make_unique<AfterThought>(steering.tags, steering.start,
                                                   std::move(steering.constraint)));
  } else {
    hooks.push_back(std::move(steering.constraint));
  }
  if (steering.budget) {
    hooks.push_back(std::make_unique<ThinkBudget>(tokenizer, steering.tags, steering.start,
                                                  std::move(*steering.budget),
                                                  std::move(steering.stop)));
  }
  return Chain(std::move(hooks));
}

}  // namespace ergo::generate
