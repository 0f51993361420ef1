#include "capi/constraint_place.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace ergo::capi {
namespace {

class Anything : public runtime::LogitHook {
 public:
  void Mask(std::span<float> /*logits*/) override {}
  bool Accept(std::int32_t /*token*/) override { return true; }
  std::unique_ptr<LogitHook> Fork() const override { return std::make_unique<Anything>(*this); }
};

}  // namespace

Outcome<std::unique_ptr<runtime::LogitHook>> HookAfter(std::unique_ptr<runtime::LogitHook> hook,
                                                       std::span<const std::int32_t> drawn,
                                                       std::span<const std::int32_t> appended,
                                                       std::size_t vocabulary) {
  // The last one may have been what ended the text: false says no more than that.
  for (const std::int32_t token : drawn) hook->Accept(token);
  std::vector<float> logits;
  for (std::size_t i = 0; i < appended.size(); ++i) {
    logits.assign(vocabulary, 0.0f);
    hook->Mask(logits);
    if (std::isinf(logits[static_cast<std::size_t>(appended[i])])) {
      return Invalid(fmt::format("the constraint forbids token {} (entry {})", appended[i], i),
                     "appended", "append what it allows, or give the branch other options");
    }
    hook->Accept(appended[i]);
  }
  return hook;
}

std::unique_ptr<runtime::LogitHook> NoConstraint() { return std::make_unique<Anything>(); }

}  // namespace ergo::capi
