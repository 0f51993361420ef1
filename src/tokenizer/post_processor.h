// What is put around a sequence of ids: beginning and end of text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tokenizer/vocabulary.h"

namespace ergo::tokenizer {

struct PostProcessor {
  std::vector<TokenId> prefix;
  std::vector<TokenId> suffix;

  /// From the "post_processor" member of a tokenizer.json (for one sequence); null means none.
  /// Errors name `where`, and the kind or template that is not supported.
  static Result<PostProcessor> FromJson(const Json& json, std::size_t vocabulary_size,
                                        const std::string& where);
};

}  // namespace ergo::tokenizer
