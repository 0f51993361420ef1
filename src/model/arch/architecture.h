// What one family of models supplies, and the list of them all.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace ergo::model {

class ConfigReader;
struct ModelConfig;
struct Pass;

/// One tensor of a layer under its three names; a family lists those that it has.
struct TensorName {
  std::string_view role;  ///< ours: "attention.q"
  std::string_view gguf;  ///< "attn_q": blk.N.attn_q.weight
  std::string_view hf;    ///< "self_attn.q_proj": model.layers.N.self_attn.q_proj.weight
};

/// Sizes that hold where a config.json leaves them out; 0: it must not.
struct SizeDefaults {
  std::size_t heads = 0;
  std::size_t kv_heads = 0;  ///< 0: as many as heads
  std::size_t head_dim = 0;  ///< 0: hidden / heads
  std::size_t vocabulary = 0;
  std::size_t context_length = 0;
};

struct Architecture {
  std::string_view name;
  std::span<const std::string_view> gguf_names;  ///< of general.architecture
  std::span<const std::string_view> hf_names;    ///< of model_type and architectures
  std::span<const TensorName> layer_tensors;     ///< of every layer
  SizeDefaults defaults;

  /// Fills in what only this family knows; the sizes that all share have been read.
  void (*configure)(ConfigReader& reader, ModelConfig& config);
  /// One step, wired from blocks; every thread of the run executes it.
  void (*forward)(Pass& pass);
};

/// All families, sorted by name.
std::span<const Architecture* const> Architectures();

extern const Architecture kGemma3;
extern const Architecture kLlama;
extern const Architecture kQwen2;
extern const Architecture kQwen3;

}  // namespace ergo::model
