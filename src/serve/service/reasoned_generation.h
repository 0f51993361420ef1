// Answers that are derived in steps which are checked: reasoning::Solve behind a Generation.
#pragma once

#include <memory>

#include "serve/service/generation.h"
#include "serve/service/plain_generation.h"

namespace ergo::serve {

/// The question is the last message of the user; what was said before it are its premises. Steps
/// come as thoughts, one line each with its verdict, the answer as text. Failure: too many wait to
/// be reasoned, a prompt without a question.
Served<std::shared_ptr<Generation>> StartReasoned(GenerationStart start, GenerationRequest request);

}  // namespace ergo::serve
