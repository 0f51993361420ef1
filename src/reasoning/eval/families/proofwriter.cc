// Deductions from facts and rules (ProofWriter, Tafjord et al. 2021) as lines of
// {"context", "question", "options", "answer"}.
#include "reasoning/eval/families/all.h"
#include "reasoning/eval/question_file.h"

namespace ergo::reasoning::eval {

namespace {

Result<Item> MakeItem(const FileRecord& record, const Selection&) {
  return OptionItem(record, "proofwriter");
}

Result<std::vector<Item>> Load(const Selection& selection) {
  return LoadFile(selection, "proofwriter", MakeItem);
}

}  // namespace

const Family kProofWriter = {
    "proofwriter", "true, false or unknown from facts and rules, from a file", "", true, Load};

}  // namespace ergo::reasoning::eval
