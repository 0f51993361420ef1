#include "reasoning/eval/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace ergo::reasoning::eval {

namespace {

constexpr const char* kAll = "all";

void Count(Judgement judgement, Tally* tally) {
  switch (judgement) {
    case Judgement::kRight:
      ++tally->right;
      return;
    case Judgement::kWrong:
      ++tally->wrong;
      return;
    case Judgement::kNone:
      ++tally->none;
  }
}

using Records = std::vector<const Record*>;

Row MakeRow(const std::string& family, const Records& records, std::size_t budget_tokens) {
  Row row;
  row.family = family;
  row.strategy = records.front()->strategy;
  for (const Record* record : records) {
    Count(record->judgement, &row.all);
    if (record->verified) Count(record->judgement, &row.verified);
    row.failed += record->error.empty() ? 0 : 1;
    row.over_budget += record->tokens > budget_tokens ? 1 : 0;
    row.tokens_per_question += static_cast<double>(record->tokens);
    row.calls_per_question += static_cast<double>(record->calls);
    row.seconds += record->wall;
    row.seconds_per_question += record->seconds;
    // An answer that is not there has nothing to be sure of.
    if (record->confidence && record->judgement != Judgement::kNone) {
      row.outcomes.push_back({*record->confidence, record->judgement == Judgement::kRight});
    }
  }
  const auto count = static_cast<double>(records.size());
  row.tokens_per_question /= count;
  row.calls_per_question /= count;
  row.seconds_per_question /= count;
  row.accuracy = Proportion(row.all.right, row.all.all());
  return row;
}

std::optional<PairedDifference> Difference(const Records& first, const Records& other,
                                           std::uint64_t seed) {
  std::map<std::pair<std::string, std::string>, bool> right;
  for (const Record* record : first) {
    right[{record->family, record->id}] = record->judgement == Judgement::kRight;
  }
  std::vector<Pair> pairs;
  for (const Record* record : other) {
    const auto found = right.find({record->family, record->id});
    if (found == right.end()) continue;
    pairs.push_back({found->second, record->judgement == Judgement::kRight});
  }
  if (pairs.empty()) return std::nullopt;
  return Compare(pairs, seed);
}

std::string Percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

}  // namespace

std::vector<Row> MakeRows(std::span<const Record> records, std::size_t budget_tokens,
                          std::uint64_t seed) {
  std::vector<std::string> families;
  std::vector<std::string> strategies;
  std::map<std::pair<std::string, std::string>, Records> groups;
  for (const Record& record : records) {
    const auto add = [](const std::string& name, std::vector<std::string>* names) {
      if (std::find(names->begin(), names->end(), name) == names->end()) names->push_back(name);
    };
    add(record.family, &families);
    add(record.strategy, &strategies);
    groups[{record.family, record.strategy}].push_back(&record);
  }
  if (families.size() > 1) {
    for (const Record& record : records) groups[{kAll, record.strategy}].push_back(&record);
    families.emplace_back(kAll);
  }
  std::vector<Row> rows;
  for (const std::string& family : families) {
    const auto first = groups.find({family, strategies.front()});
    for (const std::string& strategy : strategies) {
      const auto group = groups.find({family, strategy});
      if (group == groups.end()) continue;
      Row row = MakeRow(family, group->second, budget_tokens);
      if (strategy != strategies.front() && first != groups.end()) {
        row.difference = Difference(first->second, group->second, seed);
        row.difference_to = strategies.front();
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

OrderedJson ToJson(std::span<const Row> rows, std::uint64_t seed) {
  OrderedJson json = OrderedJson::array();
  for (const Row& row : rows) {
    OrderedJson entry;
    entry["family"] = row.family;
    entry["strategy"] = row.strategy;
    entry["questions"] = row.all.all();
    entry["right"] = row.all.right;
    entry["wrong"] = row.all.wrong;
    entry["none"] = row.all.none;
    entry["failed"] = row.failed;
    entry["over_budget"] = row.over_budget;
    entry["accuracy"] = row.accuracy.value;
    entry["accuracy_low"] = row.accuracy.low;
    entry["accuracy_high"] = row.accuracy.high;
    entry["tokens_per_question"] = row.tokens_per_question;
    entry["calls_per_question"] = row.calls_per_question;
    entry["seconds"] = row.seconds;
    entry["seconds_per_question"] = row.seconds_per_question;
    entry["verified"] = {{"right", row.verified.right}, {"wrong", row.verified.wrong}};
    entry["unverified"] = {{"right", row.all.right - row.verified.right},
                           {"wrong", row.all.wrong - row.verified.wrong}};
    if (!row.outcomes.empty()) {
      const Interval error = CalibrationErrorInterval(row.outcomes, seed);
      entry["with_confidence"] = row.outcomes.size();
      entry["ece"] = error.value;
      entry["ece_low"] = error.low;
      entry["ece_high"] = error.high;
      entry["auroc"] = Auroc(row.outcomes);
      entry["brier"] = Brier(row.outcomes);
    }
    if (row.difference) {
      entry["difference"] = {{"to", row.difference_to},
                             {"value", row.difference->difference.value},
                             {"low", row.difference->difference.low},
                             {"high", row.difference->difference.high},
                             {"p", row.difference->p},
                             {"only_first", row.difference->only_first},
                             {"only_this", row.difference->only_second}};
    }
    json.push_back(std::move(entry));
  }
  return json;
}

std::string Table(std::span<const Row> rows) {
  std::string text = fmt::format("{:<26} {:<12} {:>5} {:>7} {:>15} {:>8} {:>8}  {:<15} {:>6}  {}\n",
                                 "family", "strategy", "n", "right", "95%", "tokens", "seconds",
                                 "verified", "ECE", "difference (p)");
  for (const Row& row : rows) {
    const std::string verified =
        row.verified.all() == 0
            ? "-"
            : fmt::format("{} right, {} wrong", row.verified.right, row.verified.wrong);
    const std::string error =
        row.outcomes.empty() ? "-" : fmt::format("{:.3f}", CalibrationError(row.outcomes));
    std::string difference;
    if (row.difference) {
      const Interval& between = row.difference->difference;
      difference = fmt::format("{:+.1f} [{:+.1f}, {:+.1f}] ({:.3f})", 100 * between.value,
                               100 * between.low, 100 * between.high, row.difference->p);
    }
    text += fmt::format("{:<26} {:<12} {:>5} {:>7} {:>15} {:>8.0f} {:>8.0f}  {:<15} {:>6}  {}\n",
                        row.family, row.strategy, row.all.all(), Percent(row.accuracy.value),
                        Percent(row.accuracy.low) + "-" + Percent(row.accuracy.high),
                        row.tokens_per_question, row.seconds, verified, error, difference);
  }
  return text;
}

}  // namespace ergo::reasoning::eval
