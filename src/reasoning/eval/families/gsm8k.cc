// Grade-school word problems (Cobbe et al. 2021): {"question", "answer"}, the number behind the
// last "####" of the answer.
#include <fmt/format.h>

#include "base/text.h"
#include "reasoning/eval/families/all.h"
#include "reasoning/eval/judges.h"
#include "reasoning/eval/number.h"
#include "reasoning/eval/question_file.h"

namespace ergo::reasoning::eval {

namespace {

Result<Item> MakeItem(const FileRecord& record, const Selection&) {
  Result<std::string> question = TextField(record, "question");
  if (!question) return Fail(std::move(question));
  Result<std::string> answer = TextField(record, "answer");
  if (!answer) return Fail(std::move(answer));
  constexpr std::string_view kMark = "####";
  const std::size_t mark = answer->rfind(kMark);
  if (mark == std::string::npos) return Fail("no #### in field answer", record.place);
  Item item;
  item.id = fmt::format("gsm8k-{}", record.number);
  item.expected = Trimmed(std::string_view(*answer).substr(mark + kMark.size()));
  if (!ParseNumber(item.expected))
    return Fail("no number behind #### in field answer", record.place);
  item.question.text = std::move(*question);
  item.question.kind = AnswerKind::kNumber;
  item.judge = JudgeNumber(item.expected);
  return item;
}

Result<std::vector<Item>> Load(const Selection& selection) {
  return LoadFile(selection, "gsm8k", MakeItem);
}

}  // namespace

const Family kGsm8k = {"gsm8k", "grade-school word problems, from a file", "", true, Load};

}  // namespace ergo::reasoning::eval
