// Gemma 3, text: four norms in a layer, local layers between global ones, each with its own RoPE.
#include <cmath>

#include "model/arch/architecture.h"
#include "model/blocks/blocks.h"
#include "model/config_parts.h"
#include "model/weights.h"

namespace ergo::model {
namespace {

constexpr std::string_view kGgufNames[] = {"gemma3"};
constexpr std::string_view kHfNames[] = {"gemma3", "gemma3_text", "Gemma3ForCausalLM",
                                         "Gemma3ForConditionalGeneration"};

constexpr TensorName kTensors[] = {
    {"attention.norm", "attn_norm", "input_layernorm"},
    {"attention.q", "attn_q", "self_attn.q_proj"},
    {"attention.k", "attn_k", "self_attn.k_proj"},
    {"attention.v", "attn_v", "self_attn.v_proj"},
    {"attention.o", "attn_output", "self_attn.o_proj"},
    {"attention.q_norm", "attn_q_norm", "self_attn.q_norm"},
    {"attention.k_norm", "attn_k_norm", "self_attn.k_norm"},
    {"attention.post_norm", "post_attention_norm", "post_attention_layernorm"},
    {"mlp.norm", "ffn_norm", "pre_feedforward_layernorm"},
    {"mlp.gate", "ffn_gate", "mlp.gate_proj"},
    {"mlp.up", "ffn_up", "mlp.up_proj"},
    {"mlp.down", "ffn_down", "mlp.down_proj"},
    {"mlp.post_norm", "post_ffw_norm", "post_feedforward_layernorm"},
};

void Configure(ConfigReader& reader, ModelConfig& config) {
  RequireActivation(reader, config, Activation::kGeluTanh);
  RequireCausal(reader);
  config.ropes = {
      ReadRope(reader, config, {.default_theta = 1e6}),
      ReadRope(reader, config,
               {.layer_type = "sliding_attention",
                .theta = {"rope.freq_base_swa", "rope_local_base_freq"},
                .default_theta = 1e4,
                .scaled = false}),
  };
  config.qk_norm = true;
  config.post_norms = true;
  config.norms_add_one = !reader.is_gguf();
  config.qkv_bias = ReadBias(reader, "attention_bias", "attn_q");
  config.o_bias = reader.is_gguf() ? ReadBias(reader, "", "attn_output") : config.qkv_bias;
  config.embedding_scale = std::sqrt(static_cast<float>(config.hidden));
  // GGUF lacks query_pre_attn_scalar; only the 27B model (62 layers) has one of its own.
  double scalar = reader.Number({"", "query_pre_attn_scalar"}).value_or(256.0);
  if (reader.is_gguf()) {
    scalar = static_cast<double>(config.layers.size() == 62 ? config.hidden / config.heads
                                                            : config.head_dim);
  }
  config.attention_scale = static_cast<float>(1.0 / std::sqrt(scalar));
  // attn_logit_softcapping is left over from Gemma 2: the family's attention has no cap.
  config.logit_soft_cap = static_cast<float>(
      reader.Number({"final_logit_softcapping", "final_logit_softcapping"}).value_or(0.0));
  ReadWindowPattern(reader, config, {.pattern = 6, .window = 4096, .local_rope = 1});
}

void Forward(Pass& pass) {
  Embed(pass);
  for (const LayerWeights& layer : pass.weights.layers) {
    Normalize(pass, layer.attention_norm);
    SelfAttention(pass, layer);
    Accumulate(pass, layer.o, layer.attention_post_norm);
    Normalize(pass, layer.mlp_norm);
    GatedMlp(pass, layer);
    Accumulate(pass, layer.down, layer.mlp_post_norm);
  }
  Head(pass);
}

}  // namespace

const Architecture kGemma3 = {
    "gemma3",
    kGgufNames,
    kHfNames,
    kTensors,
    {.heads = 8, .kv_heads = 4, .head_dim = 256, .vocabulary = 262208, .context_length = 131072},
    Configure,
    Forward};

}  // namespace ergo::model
