#include "tokenizer/template/budget.h"

#include <fmt/format.h>

#include <utility>

namespace ergo::tokenizer::jinja {
namespace {

// A rendering may hold this many times its largest text, beside the variables it was given.
constexpr std::size_t kHeldTexts = 8;
// C++ levels for each level of nesting that the limit allows: a call of a macro takes about six.
constexpr std::size_t kLevelsPerDepth = 8;

[[noreturn]] void RaiseLimit(std::string message) {
  throw TemplateError{std::move(message), 0, true};
}

}  // namespace

void Raise(std::string message) { throw TemplateError{std::move(message), 0, false}; }

Budget::Budget(const TemplateLimits& limits)
    : limits_(limits),
      units_left_(static_cast<std::uint64_t>(limits.max_steps) * kStepUnits),
      bytes_left_(limits.max_output_bytes * kHeldTexts),
      levels_left_(limits.max_depth * kLevelsPerDepth) {}

void Budget::RaiseSteps() const {
  RaiseLimit(fmt::format("rendering takes more than {} steps", limits_.max_steps));
}

void Budget::RaiseText() const {
  RaiseLimit(fmt::format("text grows over {} bytes", limits_.max_output_bytes));
}

void Budget::RaiseMemory() const {
  RaiseLimit(fmt::format("values take more than {} bytes", limits_.max_output_bytes * kHeldTexts));
}

void Budget::RaiseDepth() const {
  RaiseLimit(fmt::format("calls and expressions nest too deep (max_depth {})", limits_.max_depth));
}

}  // namespace ergo::tokenizer::jinja
