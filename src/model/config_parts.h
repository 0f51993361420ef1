// Pieces of configuration that several families share.
#pragma once

#include <cstddef>
#include <string_view>

#include "model/config.h"
#include "model/config_reader.h"
#include "model/rope_config.h"

namespace ergo::model {

/// Refuses a mixture of experts, which GGUF files call by the dense family's name.
void RefuseExperts(ConfigReader& reader);

/// Refuses a model that attends to later tokens.
void RequireCausal(ConfigReader& reader);

/// Sets `only`, and refuses a config.json that asks for another activation.
void RequireActivation(ConfigReader& reader, ModelConfig& config, Activation only);

/// Whether there is a bias: by the key of config.json (may be empty: no), or in GGUF by the
/// presence of `blk.0.<gguf_tensor>.bias`.
bool ReadBias(ConfigReader& reader, std::string_view hf_key, std::string_view gguf_tensor);

/// Takes the divisors of frequencies that a GGUF holds as the tensor rope_freqs.weight.
void ReadRopeFactors(ConfigReader& reader, kernels::RopeConfig& rope);

/// Which layers see a window only, where a file says so by a pattern or not at all.
struct WindowPattern {
  std::size_t pattern = 6;     ///< every pattern-th layer is full, unless the file gives another
  std::size_t window = 0;      ///< tokens, unless the file says
  std::size_t local_rope = 0;  ///< index of the window layers' RoPE
};
void ReadWindowPattern(ConfigReader& reader, ModelConfig& config, const WindowPattern& defaults);

/// layer_types or max_window_layers, where use_sliding_window is set.
void ReadQwenWindows(ConfigReader& reader, ModelConfig& config);

}  // namespace ergo::model
