// A text of several steps in the trace, each with its checks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reasoning/derive/derivation.h"
#include "reasoning/stage/work.h"

namespace ergo::reasoning {

double MeanLogprob(const std::vector<DrawnToken>& tokens);

/// Bytes of the steps of a text: its lines that are not blank; a fenced block is one step.
std::vector<Span> StepsOf(std::string_view text);

/// Adds the steps of a chain to the trace, one below the other, checks them and puts what was found
/// into `derivation`, with the id of the last step.
void RecordSteps(Work& work, const std::vector<DrawnToken>& tokens, Derivation* derivation);

/// The same for a derivation whose findings are there already.
void RecordFindings(Work& work, const std::vector<DrawnToken>& tokens, Derivation* derivation);

NodeVerification ToVerification(const Finding& finding);

}  // namespace ergo::reasoning
