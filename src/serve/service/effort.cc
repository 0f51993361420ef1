#include "serve/service/effort.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace ergo::serve {
namespace {

/// The member of an object; null if there is none, or no object.
const OrderedJson& Member(const OrderedJson& object, const char* name) {
  static const OrderedJson kNull = nullptr;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::optional<std::int64_t> WholeNumber(const OrderedJson& value) {
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<std::int64_t>();
}

}  // namespace

Served<Effort> ReadEffort(const OrderedJson& body) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kWords = {
      {{"none", "none"},
       {"minimal", "low"},
       {"low", "low"},
       {"medium", "medium"},
       {"high", "high"},
       {"xhigh", "high"},
       {"max", "high"},
       {"auto", "auto"}}};
  Effort effort;
  const std::pair<const char*, const OrderedJson*> places[] = {
      {"effort", &Member(body, "effort")},
      {"reasoning_effort", &Member(body, "reasoning_effort")},
      {"reasoning.effort", &Member(Member(body, "reasoning"), "effort")}};
  for (const auto& [place, value] : places) {
    if (value->is_null()) continue;
    bool known = false;
    for (const auto& [word, name] : kWords) {
      if (*value != word) continue;
      known = true;
      effort.name = name;
    }
    if (!known) {
      return Refuse(FailureKind::kInvalid,
                    fmt::format("{} must be none, minimal, low, medium, high or auto", place),
                    "invalid_value", place);
    }
    break;
  }
  const auto count = [&](const char* name, std::optional<std::size_t>* target) {
    const auto number = WholeNumber(Member(body, name));
    if (number && *number > 0) *target = static_cast<std::size_t>(*number);
  };
  count("max_steps", &effort.max_steps);
  count("budget_tokens", &effort.budget_tokens);
  const OrderedJson& strategy = Member(body, "strategy");
  if (strategy.is_string()) effort.strategy = strategy.get<std::string>();
  return effort;
}

ThinkWish ReadThinkWish(const OrderedJson& body) {
  ThinkWish wish;
  const OrderedJson& thinking = Member(body, "thinking");
  const OrderedJson* switches[] = {&Member(Member(body, "chat_template_kwargs"), "enable_thinking"),
                                   &Member(body, "enable_thinking"), &Member(body, "think")};
  for (const OrderedJson* value : switches) {
    if (value->is_boolean()) wish.enabled = value->get<bool>();
  }
  const OrderedJson& type = Member(thinking, "type");
  if (type.is_string()) wish.enabled = type != "disabled";
  const OrderedJson* budgets[] = {&Member(thinking, "budget_tokens"),
                                  &Member(body, "thinking_token_budget"),
                                  &Member(body, "think_budget")};
  for (const OrderedJson* value : budgets) {
    const auto number = WholeNumber(*value);
    if (number && *number >= 0) wish.budget = number;
  }
  return wish;
}

}  // namespace ergo::serve
