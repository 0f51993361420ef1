// Where the evaluator looks for names and writes text, changed for as long as these live.
#pragma once

#include <memory>
#include <utility>

#include "tokenizer/template/evaluator.h"

namespace ergo::tokenizer::jinja {

/// Sets a variable, and sets it back at the end, also when an error passes.
template <typename T>
class Change {
 public:
  Change(T* place, T now) : place_(place), before_(std::exchange(*place, std::move(now))) {}
  ~Change() { *place_ = std::move(before_); }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  T* place_;
  T before_;
};

using ScopeChange = Change<std::shared_ptr<Scope>>;
using OutputChange = Change<TextBuilder*>;

}  // namespace ergo::tokenizer::jinja
