// Deductions over invented words (ProntoQA, Saparov and He 2023) as lines of
// {"context", "question", "options", "answer"}.
#include "reasoning/eval/families/all.h"
#include "reasoning/eval/question_file.h"

namespace ergo::reasoning::eval {

namespace {

Result<Item> MakeItem(const FileRecord& record, const Selection&) {
  return OptionItem(record, "prontoqa");
}

Result<std::vector<Item>> Load(const Selection& selection) {
  return LoadFile(selection, "prontoqa", MakeItem);
}

}  // namespace

const Family kProntoQa = {"prontoqa", "true or false over invented words, from a file", "", true,
                          Load};

}  // namespace ergo::reasoning::eval
