// Several logit hooks as one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/logit_hook.h"

namespace ergo::generate {

/// Asks its hooks in order: each masks what the ones before it left, all of them see every token,
/// and the first one that forces tokens is heard. So hooks that force must not contradict those
/// before them, as a constraint on the answer (AfterThought) and a budget for the thought don't.
/// The sequence ends when any of them says so.
class HookChain final : public runtime::LogitHook {
 public:
  explicit HookChain(std::vector<std::unique_ptr<runtime::LogitHook>> hooks);

  void Mask(std::span<float> logits) override;
  bool Accept(std::int32_t token) override;
  std::vector<std::int32_t> Forced() override;
  std::unique_ptr<runtime::LogitHook> Fork() const override;

 private:
  std::vector<std::unique_ptr<runtime::LogitHook>> hooks_;
};

/// The hooks that are there (not nullptr) as one; nullptr if there is none.
std::unique_ptr<runtime::LogitHook> Chain(std::vector<std::unique_ptr<runtime::LogitHook>> hooks);

}  // namespace ergo::generate
