// The steps of a trace as lines of text, for whoever shows an answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reasoning/trace/trace.h"

namespace ergo::reasoning {

/// What a node's checks came to: kRefuted if one refuted it, kVerified if one verified it, else
/// kUnchecked.
Verdict VerdictOf(const TraceNode& node);
/// "\u2713", "\u2717" or "?".
std::string_view MarkOf(Verdict verdict);
/// Why a node was refuted; empty if it was not.
std::string RefutationOf(const TraceNode& node);
/// Without white space at its end.
std::string StepText(const TraceNode& node);
/// The steps that the answer rests on, first to last: premises backwards from its node.
std::vector<const TraceNode*> StepsOfAnswer(const Trace& trace);

}  // namespace ergo::reasoning
