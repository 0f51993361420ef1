// logic_solver FAMILY FILE [--show N]
//
// The accuracy of the parser and the solver alone, without a model, on questions in the format of
// ProofWriter and ProntoQA ({"context", "question", "options", "answer"} a line). FAMILY names the
// row. Exit status 1 if an answer that counts as verified is wrong.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "reasoning/verify/logic_question.h"

namespace {

using ergo::reasoning::LogicAnswer;

struct Counts {
  int questions = 0;
  int right = 0;
  int unanswered = 0;
  int verified = 0;
  int verified_wrong = 0;
  int conflicts = 0;
  std::size_t unparsed_sentences = 0;
};

char LetterOf(const LogicAnswer& answer) {
  return answer.option ? static_cast<char>('A' + *answer.option) : '?';
}

void Show(const ergo::Json& row, const LogicAnswer* answer) {
  const std::string context = row.value("context", "");
  fmt::print("{}: {}\n", row.value("id", ""), row.value("question", ""));
  if (answer == nullptr) {
    fmt::print("  not understood\n");
    return;
  }
  fmt::print("  said {}, expected {}\n", LetterOf(*answer), row.value("answer", ""));
  for (const auto& step : answer->steps) fmt::print("  {}  [{}]\n", step.text, step.rule);
  for (const auto& span : answer->unparsed) {
    fmt::print("  unparsed: {}\n", context.substr(span.begin, span.end - span.begin));
  }
  for (const auto& sentence : answer->conflict) fmt::print("  conflict: {}\n", sentence);
}

void Count(const ergo::Json& row, int& shown, Counts& counts) {
  const auto options = row.value("options", std::vector<std::string>());
  const auto answer = ergo::reasoning::SolveLogicQuestion(row.value("context", ""),
                                                          row.value("question", ""), options);
  const std::string expected = row.value("answer", "");
  ++counts.questions;
  const bool right = answer && expected.size() == 1 && LetterOf(*answer) == expected[0];
  counts.right += right ? 1 : 0;
  counts.unanswered += answer ? 0 : 1;
  if (answer) {
    counts.verified += answer->exact ? 1 : 0;
    counts.verified_wrong += answer->exact && !right ? 1 : 0;
    counts.conflicts += answer->conflict.empty() ? 0 : 1;
    counts.unparsed_sentences += answer->unparsed.size();
  }
  if ((!right || (answer && !answer->unparsed.empty())) && shown-- > 0)
    Show(row, answer ? &*answer : nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && !(argc == 5 && std::strcmp(argv[3], "--show") == 0)) {
    fmt::print(stderr, "logic_solver FAMILY FILE [--show N]\n");
    return 2;
  }
  std::ifstream file(argv[2]);
  if (!file) {
    fmt::print(stderr, "{}: cannot be read\n", argv[2]);
    return 2;
  }
  int shown = argc == 5 ? std::atoi(argv[4]) : 0;
  Counts counts;
  const auto started = std::chrono::steady_clock::now();
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    const auto row = ergo::ParseJson(line, argv[2]);
    if (!row) {
      fmt::print(stderr, "{}\n", row.error().Message());
      return 2;
    }
    Count(*row, shown, counts);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  fmt::print(
      "{}: {} questions, accuracy {:.4f}, unanswered {}, verified {}, verified but wrong {}, "
      "contradictory "
      "theories {}, unparsed sentences {}, {:.2f} ms a question\n",
      argv[1], counts.questions,
      counts.right / std::max(1.0, static_cast<double>(counts.questions)), counts.unanswered,
      counts.verified, counts.verified_wrong, counts.conflicts, counts.unparsed_sentences,
      seconds * 1000 / std::max(1, counts.questions));
  return counts.verified_wrong == 0 ? 0 : 1;
}
