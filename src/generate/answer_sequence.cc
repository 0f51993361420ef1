#include "generate/answer_sequence.h"

#include <algorithm>

namespace ergo::generate {

runtime::SequenceOptions SequenceFor(const LanguageModel& model, const AnswerOptions& options) {
  runtime::SequenceOptions sequence;
  sequence.sampling = options.sampling;
  sequence.sampling.logprob = options.logprobs.has_value();
  sequence.sampling.top_logprobs = options.logprobs.value_or(0);
  if (options.max_tokens) sequence.max_tokens = *options.max_tokens;
  if (!options.ignore_end) sequence.stop_tokens = model.end_of_generation();
  sequence.stop_tokens.insert(sequence.stop_tokens.end(), options.stop_tokens.begin(),
                              options.stop_tokens.end());
  sequence.speculate = options.speculate;
  sequence.name_space = options.name_space;
  sequence.priority = options.priority;
  sequence.deadline = options.deadline;
  return sequence;
}

bool EndsAnswer(const LanguageModel& model, const AnswerOptions& options, TokenId token) {
  const auto& ends = model.end_of_generation();
  if (!options.ignore_end && std::binary_search(ends.begin(), ends.end(), token)) return true;
  const auto& stops = options.stop_tokens;
  return std::find(stops.begin(), stops.end(), token) != stops.end();
}

FinishReason FinishOf(runtime::EndReason reason) {
  switch (reason) {
    case runtime::EndReason::kStopToken:
    case runtime::EndReason::kComplete:
      return FinishReason::kStop;
    case runtime::EndReason::kContext:
    case runtime::EndReason::kLength:
      return FinishReason::kLength;
    case runtime::EndReason::kStopped:
    case runtime::EndReason::kDeadline:
    case runtime::EndReason::kError:
      break;
  }
  return FinishReason::kCancel;
}

}  // namespace ergo::generate
