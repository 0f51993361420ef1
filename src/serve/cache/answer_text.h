// Answers as bytes that can be kept, and back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "serve/service/generation.h"

namespace ergo::serve {

/// Whether the answer may stand for later ones: every choice has come to an end of its own.
bool IsComplete(const GenerationOutcome& outcome);

/// JSON of everything but timings and what of the prompt was cached.
std::string WriteAnswer(const GenerationOutcome& outcome);
/// The bytes may come from anywhere. Error: not what WriteAnswer writes.
Result<GenerationOutcome> ReadAnswer(std::string_view text);

}  // namespace ergo::serve
