// Runs a hook as a scheduler does, over logits that a test makes up.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "runtime/logit_hook.h"
#include "tokenizer/tokenizer.h"

namespace ergo::generate::testing {

struct Drive {
  std::size_t vocabulary = 0;
  std::size_t most = 200;
  std::vector<tokenizer::TokenId> ends = {};
  /// Fills the logits, which are 0, for the token behind these.
  std::function<void(std::span<const tokenizer::TokenId>, std::span<float>)> model = {};

  struct Result {
    std::vector<tokenizer::TokenId> tokens;
    std::size_t forced = 0;
    bool ended = false;     ///< by a token of `ends`
    bool complete = false;  ///< by a hook
    bool stuck = false;     ///< no token was possible
  };

  /// Always takes the likeliest token.
  Result Run(runtime::LogitHook& hook) const {
    Result out;
    const auto take = [&](tokenizer::TokenId token) {
      out.tokens.push_back(token);
      out.complete = !hook.Accept(token);
      out.ended = std::find(ends.begin(), ends.end(), token) != ends.end();
      return !out.complete && !out.ended && out.tokens.size() < most;
    };
    while (out.tokens.size() < most) {
      const std::vector<tokenizer::TokenId> forced = hook.Forced();
      for (const tokenizer::TokenId token : forced) {
        ++out.forced;
        if (!take(token)) return out;
      }
      if (!forced.empty()) continue;
      std::vector<float> logits(vocabulary);
      model(out.tokens, logits);
      hook.Mask(logits);
      const auto best = std::max_element(logits.begin(), logits.end());
      out.stuck = *best == -std::numeric_limits<float>::infinity();
      if (out.stuck) return out;
      if (!take(static_cast<tokenizer::TokenId>(best - logits.begin()))) return out;
    }
    return out;
  }
};

}  // namespace ergo::generate::testing
