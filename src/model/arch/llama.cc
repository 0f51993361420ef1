// Llama 1 to 3, and what is built like it: SmolLM, Mistral, R1-Distill-Llama.
#include "model/arch/architecture.h"
#include "model/blocks/blocks.h"
#include "model/config_parts.h"

namespace ergo::model {
namespace {

constexpr std::string_view kGgufNames[] = {"llama"};
constexpr std::string_view kHfNames[] = {"llama", "LlamaForCausalLM", "mistral",
                                         "MistralForCausalLM"};

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
  RefuseExperts(reader);
  RequireActivation(reader, config, Activation::kSilu);
  config.ropes = {ReadRope(reader, config)};
  // GGUF holds query and key rows permuted, so that a pair lies side by side.
  config.ropes[0].interleaved = reader.is_gguf();
  ReadRopeFactors(reader, config.ropes[0]);
  const bool attention_bias = ReadBias(reader, "attention_bias", "attn_q");
  config.qkv_bias = attention_bias;
  config.o_bias = reader.is_gguf() ? ReadBias(reader, "", "attn_output") : attention_bias;
  config.mlp_bias = ReadBias(reader, "mlp_bias", "ffn_gate");
  const bool mistral = reader.Text({"", "model_type"}).value_or("mistral") == "mistral";
  const std::size_t window =
      mistral ? reader.Size({"attention.sliding_window", "sliding_window"}, std::size_t{1} << 31)
              : 0;
  for (LayerConfig& layer : config.layers) layer.window = window;
}

}  // namespace

const Architecture kLlama = {"llama",   kGgufNames,    kHfNames, kTensors, {.context_length = 2048},
                             Configure, PreNormDecoder};

}  // namespace ergo::model
