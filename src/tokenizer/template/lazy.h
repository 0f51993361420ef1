// Filters whose result Jinja computes while it is walked.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "tokenizer/template/runtime.h"

namespace ergo::tokenizer::jinja {

/// An iterator over what `fill(std::vector<Value>*)` appends. The work is done at once; an error
/// in it is raised only by whoever walks that far, as if it were done step by step.
template <typename Fill>
Value MakeLazy(Runtime& runtime, Fill fill) {
  std::vector<Value> items;
  std::optional<TemplateError> failure;
  try {
    fill(&items);
  } catch (const TemplateError& error) {
    if (error.exhausted) throw;
    failure = error;
  }
  auto iterator = std::make_shared<Iterator>(std::move(items), "generator", &runtime.budget());
  if (failure) iterator->FailAtEnd(*std::move(failure));
  return Value(std::shared_ptr<Object>(std::move(iterator)));
}

}  // namespace ergo::tokenizer::jinja
