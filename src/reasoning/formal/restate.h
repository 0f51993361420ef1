// Sentences that a parser cannot read, said again by the model in words that it can.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "reasoning/stage/work.h"
#include "reasoning/verify/logic_question.h"

namespace ergo::reasoning {

struct Restatement {
  LogicQuestion parts;
  std::map<std::string, std::string> originals;  ///< by what they were restated as
};

/// Takes the question apart as a rule theory and has the model say again what the parser does not
/// understand of it: under a grammar of the forms that it reads (logic_reader.h) and of the
/// question's own words, three times each, all in one batch. A sentence is replaced where two agree
/// and the parser understands it. Nothing if the question is no theory, if the parser understands
/// less than half of it or all of it, or if nothing could be replaced.
std::optional<Restatement> Restate(Work& work);

}  // namespace ergo::reasoning
