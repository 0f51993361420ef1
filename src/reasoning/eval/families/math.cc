// Competition problems (MATH, Hendrycks et al. 2021): {"problem", "solution"}, the answer in the
// last \boxed{} of the solution or in a field of its own, as in the 500-question subset.
#include <fmt/format.h>

#include <optional>

#include "base/text.h"
#include "reasoning/eval/families/all.h"
#include "reasoning/eval/judges.h"
#include "reasoning/eval/number.h"
#include "reasoning/eval/question_file.h"

namespace ergo::reasoning::eval {

namespace {

/// What stands in the last \boxed{} or \fbox{} ("\boxed 7" too).
std::optional<std::string> LastBoxed(std::string_view solution) {
  std::size_t at = std::string_view::npos;
  std::size_t begin = 0;
  for (const std::string_view command : {"\\boxed", "\\fbox"}) {
    const std::size_t found = solution.rfind(command);
    if (found == std::string_view::npos || (at != std::string_view::npos && found < at)) continue;
    at = found;
    begin = found + command.size();
  }
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = solution.substr(begin);
  if (!rest.starts_with('{')) {
    rest = Trimmed(rest);
    return std::string(rest.substr(0, rest.find_first_of(" $.")));
  }
  int depth = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '{') ++depth;
    if (rest[i] == '}' && --depth == 0) return std::string(Trimmed(rest.substr(1, i - 1)));
  }
  return std::nullopt;
}

Result<std::string> ExpectedAnswer(const FileRecord& record) {
  std::string answer = OptionalText(record, "answer");
  if (const auto extra = record.fields.find("extra_info");
      answer.empty() && extra != record.fields.end() && extra->is_object()) {
    const auto field = extra->find("answer");
    if (field != extra->end() && field->is_string()) answer = field->get<std::string>();
  }
  if (!answer.empty()) return answer;
  const Result<std::string> solution = TextField(record, "solution");
  if (!solution) return solution;
  const std::optional<std::string> boxed = LastBoxed(*solution);
  if (!boxed || boxed->empty()) return Fail("no \\boxed{} in field solution", record.place);
  return *boxed;
}

Result<Item> MakeItem(const FileRecord& record, const Selection&) {
  Result<std::string> problem = TextField(record, "problem");
  if (!problem) return Fail(std::move(problem));
  Result<std::string> expected = ExpectedAnswer(record);
  if (!expected) return Fail(std::move(expected));
  Item item;
  for (const char* name : {"id", "unique_id"}) {
    if (item.id.empty()) item.id = OptionalText(record, name);
  }
  if (item.id.empty()) item.id = fmt::format("math-{}", record.number);
  item.question.text = std::move(*problem);
  item.question.kind = AnswerKind::kMath;
  item.expected = std::move(*expected);
  item.judge = JudgeMath(item.expected);
  return item;
}

Result<std::vector<Item>> Load(const Selection& selection) {
  return LoadFile(selection, "math", MakeItem);
}

}  // namespace

const Family kMath = {"math", "competition problems, from a file", "", true, Load};

}  // namespace ergo::reasoning::eval
