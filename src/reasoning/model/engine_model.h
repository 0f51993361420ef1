// A language model of the engine as reasoning sees it.
#pragma once

#include <memory>
#include <string>

#include "generate/language_model.h"
#include "reasoning/model/text_model.h"

namespace ergo::reasoning {

/// Branches are forks of the engine's sequences: a branch holds keys and values for what it wrote
/// itself. The model must have a chat template or none of its prompts a system message.
/// Everything it computes is done on behalf of `name_space` (SequenceOptions).
std::unique_ptr<TextModel> MakeEngineModel(std::shared_ptr<generate::LanguageModel> model,
                                           std::string name_space = {}, int priority = 0);

/// The prompt's messages as chat templates take them.
generate::ChatInput ChatOf(const Prompt& prompt);

}  // namespace ergo::reasoning
