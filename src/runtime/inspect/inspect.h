// What a model computes on the way through a sequence: states, attention, and how sure it is of the
// next token. Computed anew for tokens that are given, so it costs nothing while nobody asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/engine.h"
#include "runtime/sample/sampler.h"

namespace ergo::runtime {

/// Numbers in the lists may come in any order, each once; results are in the same order.
struct InspectRequest {
  std::vector<std::int32_t> tokens;
  /// Whose states are wanted, and what their queries attend to; empty: all of the tokens.
  std::vector<std::size_t> positions = {};
  /// 0: the embedding; L: the residual stream behind L layers; and behind all of them also behind
  /// the final norm. These are Transformers' output_hidden_states.
  std::vector<std::size_t> state_layers = {};
  std::vector<std::size_t> attention_layers = {};  ///< counted from 0
  std::vector<std::size_t> heads = {};             ///< query heads; empty: all
  /// Positions behind which the distribution of the next token is wanted.
  std::vector<std::size_t> outlooks = {};
  int alternatives = 0;                           ///< most likely tokens of each outlook
  std::size_t most_bytes = std::size_t{1} << 30;  ///< of memory for results and what they need
};

/// The distribution of the token behind a position.
struct Outlook {
  float entropy = 0.0f;                    ///< in nats
  std::optional<float> next_logprob = {};  ///< of the token that follows, if one does
  std::vector<TokenLogprob> top = {};      ///< most likely first
};

struct Inspection {
  std::size_t width = 0;               ///< of a state
  std::size_t tokens = 0;              ///< of the sequence
  std::vector<std::size_t> positions;  ///< as in the request, all written out
  std::vector<std::size_t> heads;      ///< as in the request, all written out
  std::vector<float> states;           ///< [state_layers, positions, width]
  /// [attention_layers, heads, positions, tokens]: probabilities, zero for tokens that the layer
  /// does not see from the position.
  std::vector<float> attention;
  std::vector<Outlook> outlooks;  ///< as in the request
};

/// Computes the tokens as a new sequence of `engine`, which nobody else uses meanwhile. The results
/// do not depend on the engine's chunk. Keys are taken before they are rounded for the cache.
/// Errors: no tokens, or more than the context; an unknown token, layer, head or position, or one
/// that is named twice; alternatives out of range; more memory than `most_bytes`.
Result<Inspection> Inspect(Engine& engine, const InspectRequest& request);

}  // namespace ergo::runtime
