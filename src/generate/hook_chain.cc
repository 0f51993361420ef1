#include "generate/hook_chain.h"

#include <utility>

namespace ergo::generate {

HookChain::HookChain(std::vector<std::unique_ptr<runtime::LogitHook>> hooks)
    : hooks_(std::move(hooks)) {}

void HookChain::Mask(std::span<float> logits) {
  for (const auto& hook : hooks_) hook->Mask(logits);
}

bool HookChain::Accept(std::int32_t token) {
  bool more = true;
  for (const auto& hook : hooks_) more = hook->Accept(token) && more;
  return more;
}

std::vector<std::int32_t> HookChain::Forced() {
  for (const auto& hook : hooks_) {
    std::vector<std::int32_t> forced = hook->Forced();
    if (!forced.empty()) return forced;
  }
  return {};
}

std::unique_ptr<runtime::LogitHook> HookChain::Fork() const {
  std::vector<std::unique_ptr<runtime::LogitHook>> hooks;
  hooks.reserve(hooks_.size());
  for (const auto& hook : hooks_) hooks.push_back(hook->Fork());
  return std::make_unique<HookChain>(std::move(hooks));
}

std::unique_ptr<runtime::LogitHook> Chain(std::vector<std::unique_ptr<runtime::LogitHook>> hooks) {
  std::erase(hooks, nullptr);
  if (hooks.empty()) return nullptr;
  if (hooks.size() == 1) return std::move(hooks.front());
  return std::make_unique<HookChain>(std::move(hooks));
}

}  // namespace ergo::generate
