// How many planted errors the arithmetic check finds, and how often it refutes what is right:
//   verify_errors [--count N] [--seed S] [--show]
//   verify_errors --gold FILE.jsonl [--field NAME] [--show]
// The second form reads worked solutions taken to be right, one JSON object a line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "reasoning/verify/arithmetic.h"
#include "reasoning/verify/planted_errors.h"

namespace {

using ergo::reasoning::Finding;
using ergo::reasoning::PlantedSolution;
using ergo::reasoning::Verdict;

struct Counts {
  std::size_t solutions = 0;
  std::size_t planted = 0;
  std::size_t found = 0;
  std::size_t alarms = 0;    ///< solutions in which something right was refuted
  std::size_t approved = 0;  ///< planted errors that were verified and not refuted
  std::size_t verified = 0;
  std::size_t refuted = 0;
  std::size_t unchecked = 0;

  void Add(const Counts& other) {
    solutions += other.solutions;
    planted += other.planted;
    found += other.found;
    alarms += other.alarms;
    approved += other.approved;
    verified += other.verified;
    refuted += other.refuted;
    unchecked += other.unchecked;
  }
};

std::vector<Finding> Check(const std::string& text) {
  return ergo::reasoning::ArithmeticCheck().Run({.question = "", .text = text});
}

Counts Measure(const PlantedSolution& solution, bool show) {
  Counts counts;
  counts.solutions = 1;
  counts.planted = solution.error ? 1 : 0;
  bool alarm = false;
  bool approved = false;
  for (const Finding& finding : Check(solution.text)) {
    counts.verified += finding.verdict == Verdict::kVerified;
    counts.refuted += finding.verdict == Verdict::kRefuted;
    counts.unchecked += finding.verdict == Verdict::kUnchecked;
    const bool inside = solution.error && finding.span.begin < solution.error->end &&
                        solution.error->begin < finding.span.end;
    if (inside && finding.verdict == Verdict::kVerified) approved = true;
    if (finding.verdict != Verdict::kRefuted) continue;
    if (inside) {
      counts.found = 1;
    } else {
      alarm = true;
      if (show) fmt::print("refuted wrongly: {}\n", finding.reason);
    }
  }
  counts.alarms = alarm;
  counts.approved = approved && counts.found == 0;
  if (show && solution.error && counts.found == 0) {
    const auto& span = *solution.error;
    fmt::print("missed: {}\n", solution.text.substr(span.begin, span.end - span.begin));
  }
  return counts;
}

double Percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void PrintRow(const std::string& name, const Counts& c) {
  fmt::print("{:<20} {:>9} {:>8} {:>8} {:>7.2f}% {:>9} {:>7.2f}%\n", name, c.solutions, c.planted,
             c.found, Percent(c.found, c.planted), c.alarms, Percent(c.alarms, c.solutions));
}

int PrintPlanted(std::size_t count, std::uint64_t seed, bool show) {
  Counts rows[2][2];
  Counts all;
  const auto start = std::chrono::steady_clock::now();
  for (const PlantedSolution& solution : ergo::reasoning::MakePlantedSolutions(count, seed)) {
    const Counts counts = Measure(solution, show);
    rows[solution.prose][solution.chinese].Add(counts);
    all.Add(counts);
  }
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  fmt::print("{:<20} {:>9} {:>8} {:>8} {:>8} {:>9} {:>8}\n", "", "solutions", "planted", "found",
             "rate", "false", "rate");
  for (const bool prose : {false, true}) {
    const std::string kind = prose ? "prose" : "equations";
    Counts both = rows[prose][0];
    both.Add(rows[prose][1]);
    PrintRow(kind + ", English", rows[prose][0]);
    PrintRow(kind + ", Chinese", rows[prose][1]);
    PrintRow(kind + ", both", both);
  }
  PrintRow("all", all);
  fmt::print(
      "findings: {} verified, {} refuted, {} unchecked; errors verified: {}; {:.2f} ms a "
      "solution\n",
      all.verified, all.refuted, all.unchecked, all.approved,
      time.count() / static_cast<double>(std::max<std::size_t>(1, count)));
  return 0;
}

int PrintGold(const std::string& path, const std::string& field, bool show) {
  std::ifstream file(path);
  if (!file) {
    fmt::print(stderr, "{}: cannot be read\n", path);
    return 1;
  }
  Counts all;
  std::string line;
  while (std::getline(file, line)) {
    const auto row = ergo::ParseJson(line, path);
    if (!row || !row->is_object() || !row->contains(field) || !row->at(field).is_string()) {
      fmt::print(stderr, "{}: a line has no text \"{}\"\n", path, field);
      return 1;
    }
    all.Add(Measure({.text = row->at(field).get<std::string>(), .error = {}}, show));
  }
  fmt::print(
      "{} solutions: {} findings verified, {} refuted, {} unchecked; {} solutions ({:.2f}%) "
      "have a refuted one\n",
      all.solutions, all.verified, all.refuted, all.unchecked, all.alarms,
      Percent(all.alarms, all.solutions));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures the arithmetic check"};
  std::size_t count = 1000;
  std::uint64_t seed = 1;
  std::string gold;
  std::string field = "answer";
  bool show = false;
  app.add_option("--count", count, "Solutions to make")->check(CLI::Range(1, 1000000));
  app.add_option("--seed", seed, "Of the solutions");
  app.add_option("--gold", gold, "JSON lines of solutions that are right");
  app.add_option("--field", field, "The member that holds a solution");
  app.add_flag("--show", show, "Print misses and false alarms");
  CLI11_PARSE(app, argc, argv);
  return gold.empty() ? PrintPlanted(count, seed, show) : PrintGold(gold, field, show);
}
