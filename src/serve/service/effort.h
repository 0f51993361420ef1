// How much to reason about an answer, under all the names that APIs have for it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/service/failure.h"

namespace ergo::serve {

struct Effort {
  std::string name = "none";  ///< "none": the plain model; "low", "medium", "high", "auto"
  std::optional<std::size_t> max_steps = {};
  std::optional<std::size_t> budget_tokens = {};
  std::string strategy = {};  ///< empty: that of the effort

  bool reasons() const { return name != "none"; }
};

/// What a request's body says: `effort`, `reasoning_effort`, `reasoning.effort`, with `max_steps`,
/// `budget_tokens`, `strategy`. "minimal" is low, "xhigh" and "max" are high. Failure: an unknown
/// word.
Served<Effort> ReadEffort(const OrderedJson& body);

/// Whether the model itself may think, and how long: `think` (a boolean), `thinking.type`,
/// `chat_template_kwargs.enable_thinking`, `enable_thinking`, `thinking_token_budget`,
/// `thinking.budget_tokens`.
struct ThinkWish {
  std::optional<bool> enabled = {};
  std::optional<std::int64_t> budget = {};
};
ThinkWish ReadThinkWish(const OrderedJson& body);

}  // namespace ergo::serve
