// Compares pairs of answers: reads JSON lines {"gold": text, "pred": text, "expected": 0 or 1} from
// standard input and prints those that we judge otherwise, then how many were right.
//   answer_equivalence [--quiet] < FILE.jsonl
#include "reasoning/verify/answer_equivalence.h"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "base/json.h"

namespace {

std::string Short(const std::string& text) {
  return text.size() <= 160 ? text : "…" + text.substr(text.size() - 160);
}

bool Expected(const ergo::Json& row) {
  const auto& expected = row.at("expected");
  return expected.is_boolean() ? expected.get<bool>() : expected.get<int>() != 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool quiet = argc > 1 && std::string_view(argv[1]) == "--quiet";
  std::size_t right = 0;
  std::size_t all = 0;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto row = ergo::ParseJson(line, "standard input");
    const bool good = row && row->is_object() && row->contains("gold") && row->contains("pred") &&
                      row->contains("expected") && row->at("gold").is_string() &&
                      row->at("pred").is_string() &&
                      (row->at("expected").is_number_integer() || row->at("expected").is_boolean());
    if (!good) {
      fmt::print(stderr, "a line is not a pair of answers\n");
      return 1;
    }
    const auto gold = row->at("gold").get<std::string>();
    const auto pred = row->at("pred").get<std::string>();
    const auto verdict = ergo::reasoning::Equivalent(gold, pred);
    const bool yes = verdict == ergo::reasoning::Equivalence::kYes;
    ++all;
    if (yes == Expected(*row)) {
      ++right;
    } else if (!quiet) {
      fmt::print("expected {}, got {}: {} | {}\n  read as: {} | {}\n",
                 Expected(*row) ? "yes" : "no", ergo::reasoning::Name(verdict), Short(gold),
                 Short(pred), Short(ergo::reasoning::ExtractAnswer(gold)),
                 Short(ergo::reasoning::ExtractAnswer(pred)));
    }
  }
  fmt::print("{} of {} right ({:.1f}%)\n", right, all,
             all == 0 ? 0.0 : 100.0 * static_cast<double>(right) / static_cast<double>(all));
  return 0;
}
