#include "model/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/utf8.h"
#include "kernels/attention/attention.h"
#include "model/arch/architecture.h"
#include "model/config_reader.h"

namespace ergo::model {
namespace {

constexpr std::size_t kMostWidth = std::size_t{1} << 20;
constexpr std::size_t kMostHeads = std::size_t{1} << 14;
constexpr std::size_t kMostLayers = 4096;
constexpr std::size_t kMostTokens = std::size_t{1} << 31;

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string SupportedNames(bool gguf) {
  std::string text;
  for (const Architecture* architecture : Architectures()) {
    for (const std::string_view name : gguf ? architecture->gguf_names : architecture->hf_names) {
      if (!text.empty()) text += ", ";
      text += name;
    }
  }
  return text;
}

/// Names by which config.json calls the model: model_type, then architectures, outer and nested.
std::vector<std::string> HfNames(const Json& config) {
  std::vector<std::string> names;
  if (!config.is_object()) return names;
  if (const auto type = config.find("model_type"); type != config.end() && type->is_string()) {
    names.push_back(type->get<std::string>());
  }
  const auto classes = config.find("architectures");
  if (classes != config.end() && classes->is_array()) {
    for (const Json& name : *classes) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
  }
  return names;
}

/// A size that has a default in the family's config.json; GGUF must always say.
std::size_t SizeOr(ConfigReader& reader, const ConfigKey& key, std::size_t most,
                   std::size_t otherwise) {
  const std::size_t size = reader.Size(key, most);
  return size == 0 && !reader.is_gguf() ? otherwise : size;
}

void ReadSizes(ConfigReader& reader, const SizeDefaults& defaults, ModelConfig& config) {
  const auto& tensors = reader.files().tensors;
  const std::size_t most_layers = tensors.empty() ? kMostLayers : tensors.size();
  config.layers.resize(reader.RequiredSize({"block_count", "num_hidden_layers"}, most_layers));
  config.hidden = reader.RequiredSize({"embedding_length", "hidden_size"}, kMostWidth);
  config.intermediate =
      reader.RequiredSize({"feed_forward_length", "intermediate_size"}, kMostWidth);
  constexpr ConfigKey kContext = {"context_length", "max_position_embeddings"};
  config.context_length = SizeOr(reader, kContext, kMostTokens, defaults.context_length);
  constexpr ConfigKey kHeads = {"attention.head_count", "num_attention_heads"};
  config.heads = SizeOr(reader, kHeads, kMostHeads, defaults.heads);
  constexpr ConfigKey kKvHeads = {"attention.head_count_kv", "num_key_value_heads"};
  config.kv_heads = SizeOr(reader, kKvHeads, kMostHeads, defaults.kv_heads);
  if (config.kv_heads == 0) config.kv_heads = config.heads;
  constexpr ConfigKey kHeadDim = {"attention.key_length", "head_dim"};
  config.head_dim = SizeOr(reader, kHeadDim, kMostWidth, defaults.head_dim);
  if (config.context_length == 0) reader.Refuse("is missing", kContext);
  if (config.heads == 0) reader.Refuse("is missing", kHeads);
  if (!reader.status() || config.heads == 0 || config.kv_heads == 0) return;
  if (config.heads % config.kv_heads != 0) {
    reader.Refuse(
        fmt::format("is {}, which does not divide {} heads", config.kv_heads, config.heads),
        kKvHeads);
  }
  if (config.head_dim == 0) {
    config.head_dim = config.hidden / config.heads;
    if (config.hidden % config.heads != 0) {
      reader.Refuse(
          fmt::format("is {}, which does not divide {} values", config.heads, config.hidden),
          kHeads);
    }
  }
  if (config.head_dim == 0 || config.head_dim % 4 != 0 || config.head_dim > kernels::kMaxHeadDim) {
    reader.Refuse(fmt::format("gives heads of {} values", config.head_dim), kHeadDim,
                  fmt::format("heads of a multiple of 4 values, at most {}, are supported",
                              kernels::kMaxHeadDim));
  }
  const std::size_t values = reader.Size({"attention.value_length", "v_head_dim"}, kMostWidth);
  if (values != 0 && values != config.head_dim) {
    reader.Refuse("differs from that of the keys", {"attention.value_length", "v_head_dim"},
                  "such models are not supported");
  }
}

void ReadVocabulary(ConfigReader& reader, const SizeDefaults& defaults, ModelConfig& config) {
  config.vocabulary =
      SizeOr(reader, {"vocab_size", "vocab_size"}, kMostTokens, defaults.vocabulary);
  if (!reader.is_gguf()) {
    if (config.vocabulary == 0) reader.Refuse("is missing", {"", "vocab_size"});
    return;
  }
  const auto tokens = reader.files().gguf.find("tokenizer.ggml.tokens");
  const bool has_tokens = tokens != reader.files().gguf.end();
  if (config.vocabulary == 0 && has_tokens) config.vocabulary = tokens->second.count;
  if (config.vocabulary == 0) {  // a file without a tokenizer: the embedding tells
    const TensorView* table = reader.files().Find("token_embd.weight");
    if (table != nullptr && table->shape.size() == 2) {
      config.vocabulary = static_cast<std::size_t>(table->shape[0]);
    }
  }
  if (config.vocabulary == 0) reader.Refuse("is missing", {"vocab_size", ""});
  if (has_tokens && tokens->second.count > config.vocabulary) {
    reader.Refuse(
        fmt::format("is {}, but there are {} tokens", config.vocabulary, tokens->second.count),
        {"vocab_size", ""});
  }
}

void AddToken(const ModelConfig& config, std::int64_t id, std::vector<std::int32_t>& out) {
  if (id < 0 || static_cast<std::uint64_t>(id) >= config.vocabulary) return;
  const auto token = static_cast<std::int32_t>(id);
  if (std::find(out.begin(), out.end(), token) == out.end()) out.push_back(token);
}

/// One of a folder's files that name special tokens.
struct TokenSource {
  const char* file;
  const Json* object;
};

/// A number, or a list of them: Transformers writes either, and null or -1 for none.
void AddTokens(ConfigReader& reader, const ModelConfig& config, const TokenSource& source,
               const char* key, std::vector<std::int32_t>& out) {
  const auto found = source.object->find(key);
  if (found == source.object->end() || found->is_null()) return;
  const auto add = [&](const Json& id) {
    const bool known = id.is_number_integer() && id.get<std::int64_t>() >= -1 &&
                       id.get<std::int64_t>() < static_cast<std::int64_t>(config.vocabulary);
    if (known) return AddToken(config, id.get<std::int64_t>(), out);
    reader.Refuse(
        fmt::format("names {}, but token ids are 0 to {}", id.dump(-1, ' ', true).substr(0, 40),
                    static_cast<std::int64_t>(config.vocabulary) - 1),
        {"", key, source.file}, "correct it");
  };
  if (!found->is_array()) return add(*found);
  for (const Json& id : *found) add(id);
}

void ReadSpecialTokens(ConfigReader& reader, ModelConfig& config) {
  std::vector<std::int32_t> bos;
  const formats::ModelFiles& files = reader.files();
  if (reader.is_gguf()) {
    const auto add = [&](std::string_view key, std::vector<std::int32_t>& out) {
      const auto found = files.gguf.find(key);
      if (found == files.gguf.end()) return;
      if (const auto id = found->second.Int()) AddToken(config, *id, out);
    };
    add("tokenizer.ggml.bos_token_id", bos);
    for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                            "tokenizer.ggml.eom_token_id"}) {
      add(key, config.eos);
    }
  } else {
    const TokenSource sources[] = {
        {"generation_config.json", files.generation_config ? &*files.generation_config : nullptr},
        {"config.json", &reader.json()},
        {"config.json", &files.config}};
    for (const TokenSource& source : sources) {
      if (source.object == nullptr || !source.object->is_object()) continue;
      AddTokens(reader, config, source, "bos_token_id", bos);
      AddTokens(reader, config, source, "eos_token_id", config.eos);
    }
  }
  if (!bos.empty()) config.bos = bos.front();
}

/// Factors that must be usable numbers, whoever set them.
void CheckFactors(ConfigReader& reader, const ModelConfig& config) {
  const auto positive = [](float x) { return std::isfinite(x) && x > 0.0f; };
  if (!positive(config.norm_epsilon) || config.norm_epsilon >= 1.0f) {
    reader.Refuse("is not between 0 and 1", {"attention.layer_norm_rms_epsilon", "rms_norm_eps"});
  }
  if (!positive(config.attention_scale)) {
    reader.Refuse("is not above 0", {"attention.scale", "query_pre_attn_scalar"});
  }
  const auto cap = [](float x) { return std::isfinite(x) && x >= 0.0f; };
  if (!cap(config.attention_soft_cap) || !cap(config.logit_soft_cap)) {
    reader.Refuse("is negative", {"final_logit_softcapping", "final_logit_softcapping"});
  }
}

}  // namespace

Result<const Architecture*> FindArchitecture(const formats::ModelFiles& files) {
  const bool gguf = files.kind == formats::ModelFiles::Kind::kGguf;
  std::vector<std::string> names;
  if (gguf) {
    const auto found = files.gguf.find("general.architecture");
    const auto name = found == files.gguf.end() ? std::nullopt : found->second.String();
    if (name) names.emplace_back(*name);
  } else {
    names = HfNames(files.config);
  }
  for (const std::string& name : names) {
    for (const Architecture* architecture : Architectures()) {
      if (Contains(gguf ? architecture->gguf_names : architecture->hf_names, name)) {
        return architecture;
      }
    }
  }
  const std::string what =
      names.empty() ? std::string("the files do not say which architecture the model has")
                    : "the architecture " + QuoteForMessage(names.front()) + " is not supported";
  return Fail(what, files.path, "supported: " + SupportedNames(gguf));
}

Result<ModelConfig> ReadConfig(const formats::ModelFiles& files, const Architecture& architecture) {
  ConfigReader reader(files);
  ModelConfig config;
  config.architecture = architecture.name;
  if (reader.is_gguf()) {
    const auto name = files.gguf.find("general.name");
    if (name != files.gguf.end()) config.name = name->second.String().value_or("");
  } else if (const auto name = files.config.find("_name_or_path");
             name != files.config.end() && name->is_string()) {
    config.name = name->get<std::string>();
  }
  ReadSizes(reader, architecture.defaults, config);
  ReadVocabulary(reader, architecture.defaults, config);
  if (!reader.status()) return tl::unexpected(reader.status().error());
  config.norm_epsilon = static_cast<float>(
      reader.Number({"attention.layer_norm_rms_epsilon", "rms_norm_eps"}).value_or(1e-6));
  config.attention_scale = 1.0f / std::sqrt(static_cast<float>(config.head_dim));
  ReadSpecialTokens(reader, config);
  config.separate_head = reader.Flag({"", "tie_word_embeddings"}) == false;
  architecture.configure(reader, config);
  CheckFactors(reader, config);
  if (!reader.status()) return tl::unexpected(reader.status().error());
  return config;
}

}  // namespace ergo::model
