// Python functions with tests (HumanEval, Chen et al. 2021): {"task_id", "prompt", "entry_point",
// "test"}. An answer is right if its program passes the tests, which only the judge sees.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/content_hash.h"
#include "base/text.h"
#include "reasoning/eval/families/all.h"
#include "reasoning/eval/number.h"
#include "reasoning/eval/question_file.h"

namespace ergo::reasoning::eval {

namespace {

struct Task {
  std::string prompt;
  std::string entry_point;
  std::string test;
};

/// What a program prints behind its tests: one that ends itself before them has not passed.
std::string PassMark(const Task& task, const std::string& answer) {
  ContentHash hash;
  hash.AddSized(task.test);
  hash.AddSized(answer);
  return "passed " + hash.Hex();
}

/// The answer may be the whole function or, as in the paper, what follows the prompt.
std::string TestProgram(const Task& task, const std::string& answer, const std::string& passed) {
  const bool whole = answer.find("def " + task.entry_point) != std::string::npos;
  std::string program;
  if (whole) {
    // Imports and functions that stand before the asked one.
    const std::size_t asked = task.prompt.find("def " + task.entry_point);
    program = task.prompt.substr(0, std::min(asked, task.prompt.size())) + "\n" + answer;
  } else {
    program = task.prompt + answer;
  }
  return program + "\n\n" + task.test +
         fmt::format("\n\ncheck({})\nprint(\"{}\")\n", task.entry_point, passed);
}

bool IsName(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

Result<Item> MakeItem(const FileRecord& record, const Selection& selection) {
  Task task;
  for (const auto& [name, target] : {std::pair{"prompt", &task.prompt},
                                     {"entry_point", &task.entry_point},
                                     {"test", &task.test}}) {
    Result<std::string> text = TextField(record, name);
    if (!text) return Fail(std::move(text));
    *target = std::move(*text);
  }
  if (!IsName(task.entry_point)) return Fail("field entry_point is no name", record.place);
  Item item;
  item.id = OptionalText(record, "task_id");
  if (item.id.empty()) item.id = fmt::format("humaneval-{}", record.number);
  item.question.text =
      fmt::format("Complete this Python function. Give the whole function.\n\n```python\n{}\n```",
                  Trimmed(task.prompt));
  item.question.kind = AnswerKind::kCode;
  item.expected = OptionalText(record, "canonical_solution");
  item.judge = [task, run = selection.run_python](const Answer& answer) -> Result<Judgement> {
    if (Trimmed(answer.value).empty()) return Judgement::kNone;
    const std::string passed = PassMark(task, answer.value);
    const Result<ProgramRun> ran = run(TestProgram(task, answer.value, passed));
    if (!ran) return tl::unexpected(ran.error());
    const bool right = ran->succeeded && ran->output.find(passed) != std::string::npos;
    return right ? Judgement::kRight : Judgement::kWrong;
  };
  return item;
}

Result<std::vector<Item>> Load(const Selection& selection) {
  if (!selection.run_python) {
    return Fail("answers are programs, and there is no sandbox to run them in", "humaneval");
  }
  return LoadFile(selection, "humaneval", MakeItem);
}

}  // namespace

const Family kHumanEval = {"humaneval", "Python functions with tests, from a file", "", true, Load};

}  // namespace ergo::reasoning::eval
