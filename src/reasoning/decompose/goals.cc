#include "reasoning/decompose/goals.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kLeastEvents = 3;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Numbers in digits: "1,200" and "3.5" are one each.
std::vector<std::string> Numbers(std::string_view text) {
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < text.size();) {
    if (!IsDigit(text[i])) {
      ++i;
      continue;
    }
    std::string number;
    while (i < text.size() && (IsDigit(text[i]) || ((text[i] == '.' || text[i] == ',') &&
                                                    i + 1 < text.size() && IsDigit(text[i + 1])))) {
      if (text[i] != ',') number += text[i];
      ++i;
    }
    numbers.push_back(std::move(number));
  }
  return numbers;
}

/// "[1,3]" or "[-]" at the end of a line; the rest is left in `line`.
std::optional<std::vector<std::size_t>> TakeNeeds(std::string* line, std::size_t own) {
  const std::size_t open = line->rfind('[');
  if (open == std::string::npos || line->back() != ']') return std::nullopt;
  const std::string inside = line->substr(open + 1, line->size() - open - 2);
  line->resize(open);
  std::vector<std::size_t> needs;
  if (inside == "-") return needs;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const bool comma = i % 2 == 1;
    if (comma != (inside[i] == ',') || (!comma && !IsDigit(inside[i]))) return std::nullopt;
    if (comma) continue;
    const auto number = static_cast<std::size_t>(inside[i] - '0');
    if (number == 0 || number >= own) return std::nullopt;
    if (std::find(needs.begin(), needs.end(), number - 1) == needs.end()) {
      needs.push_back(number - 1);
    }
  }
  if (needs.empty()) return std::nullopt;
  return needs;
}

}  // namespace

std::optional<std::vector<Goal>> ParseGoals(std::string_view text) {
  std::vector<Goal> goals;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string line(Trimmed(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const std::string number = std::to_string(goals.size() + 1) + ". ";
    if (!line.starts_with(number)) return std::nullopt;
    auto needs = TakeNeeds(&line, goals.size() + 1);
    if (!needs) return std::nullopt;
    Goal goal;
    goal.text = Trimmed(std::string_view(line).substr(number.size()));
    goal.needs = *std::move(needs);
    const bool again = std::any_of(goals.begin(), goals.end(),
                                   [&](const Goal& one) { return one.text == goal.text; });
    if (goal.text.empty() || again) return std::nullopt;
    goals.push_back(std::move(goal));
  }
  if (goals.empty()) return std::nullopt;
  return goals;
}

std::vector<std::vector<std::size_t>> InOrder(const std::vector<Goal>& goals) {
  std::vector<std::size_t> level(goals.size(), 0);
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < goals.size(); ++i) {
    for (const std::size_t need : goals[i].needs) level[i] = std::max(level[i], level[need] + 1);
    if (groups.size() <= level[i]) groups.resize(level[i] + 1);
    groups[level[i]].push_back(i);
  }
  return groups;
}

std::vector<std::string> Sentences(std::string_view text) {
  constexpr std::array<std::string_view, 6> kEnds = {".", "!", "?", "。", "!", "?"};
  std::vector<std::string> sentences;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto end = std::find_if(kEnds.begin(), kEnds.end(), [&](std::string_view mark) {
      return text.substr(i).starts_with(mark);
    });
    if (end == kEnds.end()) continue;
    const std::size_t after = i + end->size();
    // "3.5" and "e.g." go on.
    if (*end == "." && after < text.size() && text[after] != ' ' && text[after] != '\n') continue;
    std::string sentence(Trimmed(text.substr(begin, after - begin)));
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
    begin = after;
    i = after - 1;
  }
  std::string rest(Trimmed(text.substr(begin)));
  if (!rest.empty()) sentences.push_back(std::move(rest));
  return sentences;
}

std::optional<RunningQuantity> AsRunningQuantity(std::string_view question) {
  auto sentences = Sentences(question);
  if (sentences.size() < kLeastEvents + 2) return std::nullopt;
  if (!Numbers(sentences.back()).empty()) return std::nullopt;
  sentences.pop_back();
  RunningQuantity quantity;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const auto numbers = Numbers(sentences[i]);
    if (numbers.size() != 1) return std::nullopt;
    if (i == 0) {
      quantity.start = numbers.front();
    } else {
      quantity.events.push_back(std::move(sentences[i]));
    }
  }
  return quantity;
}

}  // namespace ergo::reasoning
