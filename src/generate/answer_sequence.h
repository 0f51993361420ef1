// What every answer asks of the scheduler, and what it makes of the end.
#pragma once

#include "generate/language_model.h"
#include "generate/session.h"
#include "runtime/schedule/scheduler.h"

namespace ergo::generate {

/// The sequence that draws an answer as `options` say, but for hooks. `options` must be valid.
runtime::SequenceOptions SequenceFor(const LanguageModel& model, const AnswerOptions& options);

/// Whether a token ends the answer; such a token is the last one and has no text.
bool EndsAnswer(const LanguageModel& model, const AnswerOptions& options, TokenId token);

/// Why an answer ended whose sequence ended for `reason`, which is no error.
FinishReason FinishOf(runtime::EndReason reason);

}  // namespace ergo::generate
