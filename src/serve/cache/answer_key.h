// What an answer depends on, as the key under which it is kept.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "generate/language_model.h"
#include "serve/service/generation.h"

namespace ergo::serve {

struct AnswerSource {
  std::string_view owner;
  /// What tells this model, as it is computed here, from others (LanguageModel::computing_digest).
  std::string_view model;
  std::size_t context = 0;  ///< of the model: where an answer without another limit ends
  std::span<const generate::TokenId> prompt;
  const GenerationRequest& request;  ///< all of it but the prompt
};

/// "OWNER:MODEL:PARAMETERS", each a hash. Nothing if two such requests may have different answers:
/// they are drawn with a seed that nobody named, reason for a limited time, or are steered from
/// outside.
/// What changes the speed alone is not part of it.
std::optional<std::string> AnswerKey(const AnswerSource& source);

}  // namespace ergo::serve
