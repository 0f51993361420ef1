// Looking inside a model while it reads a text.
#pragma once

#include "base/result.h"
#include "generate/language_model.h"
#include "runtime/inspect/inspect.h"

namespace ergo::generate {

/// Computes the tokens anew, beside what the model is doing else and with memory of its own; any
/// number of threads. Errors: those of runtime::Inspect; no memory.
Result<runtime::Inspection> Inspect(const LanguageModel& model,
                                    const runtime::InspectRequest& request);

}  // namespace ergo::generate
