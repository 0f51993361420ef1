// How models cut text into words, by the names that GGUF gives to that (tokenizer.ggml.pre).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pre_tokenizer.h"

namespace ergo::tokenizer {

struct GgufWords {
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  bool ignore_merges = false;
  bool adds_bos = false;  ///< unless the file says otherwise
};

/// Errors: a name that is not in the table.
Result<GgufWords> FindGgufWords(std::string_view name, const std::string& where);

}  // namespace ergo::tokenizer
