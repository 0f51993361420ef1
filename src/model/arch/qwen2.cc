// Qwen2 and 2.5, and what is built like it: R1-Distill-Qwen.
#include "model/arch/architecture.h"
#include "model/blocks/blocks.h"
#include "model/config_parts.h"

namespace ergo::model {
namespace {

constexpr std::string_view kGgufNames[] = {"qwen2"};
constexpr std::string_view kHfNames[] = {"qwen2", "Qwen2ForCausalLM"};

constexpr TensorName kTensors[] = {
    {"attention.norm", "attn_norm", "input_layernorm"},
    {"attention.q", "attn_q", "self_attn.q_proj"},
    {"attention.k", "attn_k", "self_attn.k_proj"},
    {"attention.v", "attn_v", "self_attn.v_proj"},
    {"attention.o", "attn_output", "self_attn.o_proj"},
    {"mlp.norm", "ffn_norm", "post_attention_layernorm"},
    {"mlp.gate", "ffn_gate", "mlp.gate_proj"},
    {"mlp.up", "ffn_up", "mlp.up_proj"},
    {"mlp.down", "ffn_down", "mlp.down_proj"},
};

void Configure(ConfigReader& reader, ModelConfig& config) {
  RequireActivation(reader, config, Activation::kSilu);
  config.ropes = {ReadRope(reader, config)};
  config.qkv_bias = true;  // though no key says so
  ReadQwenWindows(reader, config);
}

}  // namespace

const Architecture kQwen2 = {
    "qwen2", kGgufNames, kHfNames, kTensors, {.context_length = 32768}, Configure, PreNormDecoder};

}  // namespace ergo::model
