// Somebody who looks on while a step is computed.
#pragma once

#include <cstddef>
#include <span>

namespace ergo::model {

/// For steps of one sequence. The threads of the step call it side by side, once for each layer and
/// row; what it is given lives until it returns. It must not throw.
class StepObserver {
 public:
  virtual ~StepObserver() = default;

  /// The residual stream [hidden] of the token at `position` as layer `layer` reads it, 0 being the
  /// embedding. With the number of layers: what the head reads, behind the final norm; this one of
  /// the rows only whose logits are wanted.
  virtual void OnState(std::size_t layer, std::size_t position, std::span<const float> state) = 0;

  /// The token's query [heads · head_dim] and key [kv_heads · head_dim] in a layer, after RoPE.
  virtual void OnHeads(std::size_t layer, std::size_t position, std::span<const float> query,
                       std::span<const float> key) = 0;
};

}  // namespace ergo::model
