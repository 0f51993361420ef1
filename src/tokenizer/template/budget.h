// What one rendering may use: work, memory and stack, counted as they are used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tokenizer/template/chat_template.h"

namespace ergo::tokenizer::jinja {

/// Thrown inside the interpreter; ChatTemplate turns it into an Error.
struct TemplateError {
  std::string message;
  std::uint32_t line = 0;  ///< 0: not known yet, the evaluator fills it in.
  bool exhausted = false;  ///< A limit was reached: no construct of the template may catch it.
};

[[noreturn]] void Raise(std::string message);

/// Counts work in units: a statement or a loop turn costs kStepUnits, an expression or an element
/// that is touched a few, a copied text one unit for 64 bytes.
class Budget {
 public:
  static constexpr std::uint64_t kStepUnits = 16;

  explicit Budget(const TemplateLimits& limits);
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  const TemplateLimits& limits() const { return limits_; }

  void Spend(std::uint64_t units) {
    if (units > units_left_) RaiseSteps();
    units_left_ -= units;
  }
  void SpendText(std::size_t bytes) { Spend(1 + bytes / 64); }

  /// Raises if one text would grow over the limit. Called before it is allocated.
  void CheckText(std::size_t bytes) const {
    if (bytes > limits_.max_output_bytes) RaiseText();
  }

  /// Memory of living values.
  void Hold(std::size_t bytes) {
    if (bytes > bytes_left_) RaiseMemory();
    bytes_left_ -= bytes;
  }
  void Release(std::size_t bytes) { bytes_left_ += bytes; }

  /// Levels of evaluation on the C++ stack.
  void Enter() {
    if (levels_left_ == 0) RaiseDepth();
    --levels_left_;
  }
  void Leave() { ++levels_left_; }

  /// The deepest value (a list in a list in …) that may be built.
  std::size_t max_value_depth() const { return 2 * limits_.max_depth; }

 private:
  [[noreturn]] void RaiseSteps() const;
  [[noreturn]] void RaiseText() const;
  [[noreturn]] void RaiseMemory() const;
  [[noreturn]] void RaiseDepth() const;

  TemplateLimits limits_;
  std::uint64_t units_left_;
  std::size_t bytes_left_;
  std::size_t levels_left_;
};

/// One level of recursion, for as long as it lives.
class Level {
 public:
  explicit Level(Budget* budget) : budget_(budget) { budget_->Enter(); }
  ~Level() { budget_->Leave(); }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Budget* budget_;
};

/// Memory held by one value. Constants of a template hold none.
class Charge {
 public:
  Charge() = default;
  Charge(Budget* budget, std::size_t bytes) : budget_(budget) { Grow(bytes); }
  ~Charge() {
    if (budget_ != nullptr) budget_->Release(bytes_);
  }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;

  void Grow(std::size_t bytes) {
    if (budget_ == nullptr) return;
    budget_->Hold(bytes);
    bytes_ += bytes;
  }

 private:
  Budget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace ergo::tokenizer::jinja
