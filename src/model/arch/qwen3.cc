// Qwen3 dense: a norm of every query and key head, head_dim of its own, no bias.
#include "model/arch/architecture.h"
#include "model/blocks/blocks.h"
#include "model/config_parts.h"

namespace ergo::model {
namespace {

constexpr std::string_view kGgufNames[] = {"qwen3"};
constexpr std::string_view kHfNames[] = {"qwen3", "Qwen3ForCausalLM"};

constexpr TensorName kTensors[] = {
    {"attention.norm", "attn_norm", "input_layernorm"},
    {"attention.q", "attn_q", "self_attn.q_proj"},
    {"attention.k", "attn_k", "self_attn.k_proj"},
    {"attention.v", "attn_v", "self_attn.v_proj"},
    {"attention.o", "attn_output", "self_attn.o_proj"},
    {"attention.q_norm", "attn_q_norm", "self_attn.q_norm"},
    {"attention.k_norm", "attn_k_norm", "self_attn.k_norm"},
    {"mlp.norm", "ffn_norm", "post_attention_layernorm"},
    {"mlp.gate", "ffn_gate", "mlp.gate_proj"},
    {"mlp.up", "ffn_up", "mlp.up_proj"},
    {"mlp.down", "ffn_down", "mlp.down_proj"},
};

void Configure(ConfigReader& reader, ModelConfig& config) {
  RequireActivation(reader, config, Activation::kSilu);
  config.ropes = {ReadRope(reader, config)};
  config.qk_norm = true;
  config.qkv_bias = ReadBias(reader, "attention_bias", "attn_q");
  config.o_bias = reader.is_gguf() ? ReadBias(reader, "", "attn_output") : config.qkv_bias;
  ReadQwenWindows(reader, config);
}

}  // namespace

const Architecture kQwen3 = {
    "qwen3",   kGgufNames,    kHfNames, kTensors, {.head_dim = 128, .context_length = 32768},
    Configure, PreNormDecoder};

}  // namespace ergo::model
