// What a model is, in plain data: sizes, patterns and factors, whatever file they came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/model_files.h"
#include "kernels/rope/rope.h"

namespace ergo::model {

struct Architecture;

/// What the gate of a feed-forward block goes through.
enum class Activation { kSilu, kGeluTanh };

struct LayerConfig {
  std::size_t window = 0;  ///< 0: attends to everything before; else to this many tokens
  std::size_t rope = 0;    ///< index into ModelConfig::ropes
};

struct ModelConfig {
  std::string architecture;  ///< name of ours that runs it: "llama"
  std::string name;          ///< as the files give it; may be empty

  std::size_t vocabulary = 0;
  std::size_t hidden = 0;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;  ///< divides heads
  std::size_t head_dim = 0;
  std::size_t intermediate = 0;
  std::size_t context_length = 0;  ///< tokens that the model was made for
  float norm_epsilon = 1e-6f;

  std::vector<LayerConfig> layers;
  std::vector<kernels::RopeConfig> ropes;  ///< of full layers, then of window layers if they differ

  float attention_scale = 1.0f;  ///< of q·k
  float attention_soft_cap = 0.0f;
  float embedding_scale = 1.0f;
  float logit_scale = 1.0f;
  float logit_soft_cap = 0.0f;

  bool separate_head = false;  ///< the configuration says that the head is a matrix of its own
  bool tied_head = false;      ///< the embedding is the output matrix too
  bool qkv_bias = false;
  bool o_bias = false;
  bool mlp_bias = false;
  bool qk_norm = false;        ///< RMSNorm of every query and key head before RoPE
  bool post_norms = false;     ///< a norm after attention and one after the feed-forward block
  bool norms_add_one = false;  ///< the file's norm weights are w of (1 + w)
  Activation activation = Activation::kSilu;

  std::optional<std::int32_t> bos;
  std::vector<std::int32_t> eos;  ///< any of these ends an answer
};

/// The architecture that the files name. Error: none of ours; it lists what there is.
Result<const Architecture*> FindArchitecture(const formats::ModelFiles& files);

/// Reads GGUF keys or config.json (the forms of Transformers 4 and 5, text_config of a multimodal
/// model). Errors name the file, the key and the remedy: missing, wrong type, out of range, more
/// than the file's tensors justify, features that `architecture` does not have.
Result<ModelConfig> ReadConfig(const formats::ModelFiles& files, const Architecture& architecture);

}  // namespace ergo::model
