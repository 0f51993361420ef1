#include "model/config_parts.h"

#include <cstring>
#include <string>

#include "base/utf8.h"

namespace ergo::model {
namespace {

constexpr std::size_t kMostTokens = std::size_t{1} << 31;
constexpr ConfigKey kWindow = {"attention.sliding_window", "sliding_window"};
constexpr ConfigKey kPattern = {"attention.sliding_window_pattern", "layer_types"};

/// Reads layer_types: true for a window layer. False if there is none, or it is wrong.
bool ReadLayerTypes(ConfigReader& reader, std::size_t layers, std::vector<bool>& local) {
  const auto types = reader.json().find("layer_types");
  if (types == reader.json().end() || types->is_null()) return false;
  if (!types->is_array() || types->size() != layers) {
    reader.Refuse("does not name the type of every layer", kPattern);
    return false;
  }
  for (const Json& type : *types) {
    const std::string name = type.is_string() ? type.get<std::string>() : "";
    if (name != "sliding_attention" && name != "full_attention") {
      reader.Refuse("holds the type " + QuoteForMessage(name), kPattern,
                    "sliding_attention and full_attention are supported");
      return false;
    }
    local.push_back(name == "sliding_attention");
  }
  return true;
}

/// Every `pattern`-th layer is full.
std::vector<bool> Alternate(std::size_t layers, std::size_t pattern) {
  std::vector<bool> local(layers);
  for (std::size_t i = 0; i < layers; ++i) local[i] = (i + 1) % pattern != 0;
  return local;
}

std::vector<bool> ReadGgufPattern(ConfigReader& reader, std::size_t layers, std::size_t pattern) {
  const formats::GgufValue* value = reader.Gguf(kPattern.gguf);
  if (value != nullptr && value->type == formats::GgufType::kArray) {
    const auto flags = value->Ints();
    if (!flags || flags->size() != layers) {
      reader.Refuse("does not hold one flag for every layer", kPattern);
      return std::vector<bool>(layers);
    }
    return std::vector<bool>(flags->begin(), flags->end());
  }
  const std::size_t given = reader.Size(kPattern, kMostTokens);
  return Alternate(layers, given != 0 ? given : pattern);
}

}  // namespace

void RefuseExperts(ConfigReader& reader) {
  if (reader.Gguf("expert_count") == nullptr) return;
  if (const auto experts = reader.Number({"expert_count", ""}); experts && *experts != 0.0) {
    reader.Refuse("is not 0: a mixture of experts", {"expert_count", ""},
                  "only dense models are supported");
  }
}

void RequireCausal(ConfigReader& reader) {
  constexpr ConfigKey kKey = {"", "use_bidirectional_attention"};
  const auto found = reader.json().find(kKey.hf);
  if (found == reader.json().end() || found->is_null()) return;
  if (!found->is_boolean() || found->get<bool>()) {
    reader.Refuse("is set", kKey, "only models that attend to earlier tokens are supported");
  }
}

void RequireActivation(ConfigReader& reader, ModelConfig& config, Activation only) {
  config.activation = only;
  const std::string_view name = only == Activation::kSilu ? "silu" : "gelu_pytorch_tanh";
  for (const std::string_view key : {"hidden_activation", "hidden_act"}) {
    const auto given = reader.Text({"", key});
    if (!given) continue;
    if (*given != name) {
      reader.Refuse("is " + QuoteForMessage(*given), {"", key},
                    "this family is supported with " + std::string(name));
    }
    return;
  }
}

bool ReadBias(ConfigReader& reader, std::string_view hf_key, std::string_view gguf_tensor) {
  if (!reader.is_gguf()) return !hf_key.empty() && reader.Flag({"", hf_key}).value_or(false);
  return reader.files().Find("blk.0." + std::string(gguf_tensor) + ".bias") != nullptr;
}

void ReadRopeFactors(ConfigReader& reader, kernels::RopeConfig& rope) {
  const TensorView* factors = reader.is_gguf() ? reader.files().Find("rope_freqs.weight") : nullptr;
  if (factors == nullptr) return;
  const auto count = static_cast<std::size_t>(factors->elements());
  if (factors->dtype != DType::kF32 || count != rope.rotary_dims / 2) {
    reader.Refuse("does not fit the tensor rope_freqs.weight", {"rope.dimension_count", ""});
    return;
  }
  rope.freq_factors.resize(count);
  std::memcpy(rope.freq_factors.data(), factors->data.data(), count * sizeof(float));
}

void ReadWindowPattern(ConfigReader& reader, ModelConfig& config, const WindowPattern& defaults) {
  std::size_t window = reader.Size(kWindow, kMostTokens);
  if (window == 0) window = defaults.window;
  const std::size_t layers = config.layers.size();
  std::vector<bool> local;
  if (reader.is_gguf()) {
    local = ReadGgufPattern(reader, layers, defaults.pattern);
  } else if (!ReadLayerTypes(reader, layers, local)) {
    const std::size_t given = reader.Size({"", "sliding_window_pattern"}, kMostTokens);
    local = Alternate(layers, given != 0 ? given : defaults.pattern);
  }
  for (std::size_t i = 0; i < layers; ++i) {
    if (local[i]) config.layers[i] = {window, defaults.local_rope};
  }
}

void ReadQwenWindows(ConfigReader& reader, ModelConfig& config) {
  if (!reader.Flag({"", "use_sliding_window"}).value_or(false)) return;
  const std::size_t window = reader.Size(kWindow, kMostTokens);
  if (window == 0) return;
  const std::size_t layers = config.layers.size();
  std::vector<bool> local;
  if (!ReadLayerTypes(reader, layers, local)) {
    const auto first = reader.Number({"", "max_window_layers"}).value_or(28.0);
    local.assign(layers, false);
    for (std::size_t i = 0; i < layers; ++i) local[i] = static_cast<double>(i) >= first;
  }
  for (std::size_t i = 0; i < layers; ++i) {
    if (local[i]) config.layers[i].window = window;
  }
}

}  // namespace ergo::model
