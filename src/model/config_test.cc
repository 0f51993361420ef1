#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "formats/testing/gguf_builder.h"
#include "model/arch/architecture.h"

namespace ergo::model {
namespace {

using formats::GgufType;
using formats::ModelFiles;
using kernels::RopeConfig;
using ::testing::HasSubstr;

Result<ModelConfig> Read(const ModelFiles& files) {
  auto architecture = FindArchitecture(files);
  if (!architecture) return Fail(std::move(architecture));
  return ReadConfig(files, **architecture);
}

/// A config.json over a small llama's.
ModelFiles HuggingFace(const Json& more, const char* model_type = "llama") {
  ModelFiles files;
  files.kind = ModelFiles::Kind::kHuggingFace;
  files.path = "folder";
  files.config = {{"model_type", model_type}, {"vocab_size", 100},
                  {"hidden_size", 64},        {"intermediate_size", 96},
                  {"num_hidden_layers", 4},   {"num_attention_heads", 8},
                  {"num_key_value_heads", 2}, {"max_position_embeddings", 512}};
  if (more.is_object()) files.config.update(more);
  for (auto member = files.config.begin(); member != files.config.end();) {
    member = member->is_string() && *member == "absent" ? files.config.erase(member) : ++member;
  }
  return files;
}

/// GGUF keys over a small model's, in memory.
class Gguf {
 public:
  explicit Gguf(const std::string& architecture) : architecture_(architecture) {
    Add("general.architecture", GgufType::kString, formats::testing::Text(architecture));
    for (const auto& [key, value] :
         {std::pair{"block_count", 4u}, std::pair{"embedding_length", 64u},
          std::pair{"feed_forward_length", 96u}, std::pair{"context_length", 512u},
          std::pair{"attention.head_count", 8u}, std::pair{"attention.head_count_kv", 2u},
          std::pair{"vocab_size", 100u}}) {
      Set(key, value);
    }
  }

  Gguf& Set(const std::string& key, std::uint32_t value) {
    return Add(architecture_ + "." + key, GgufType::kU32, formats::testing::Raw(value));
  }
  Gguf& Set(const std::string& key, float value) {
    return Add(architecture_ + "." + key, GgufType::kF32, formats::testing::Raw(value));
  }
  Gguf& Set(const std::string& key, const char* value) {
    return Add(architecture_ + "." + key, GgufType::kString, formats::testing::Text(value));
  }
  Gguf& Add(const std::string& key, GgufType type, const std::string& payload) {
    std::erase_if(builder_.keys, [&](const auto& have) { return have.name == key; });
    builder_.Add(key, type, payload);
    return *this;
  }
  Gguf& Remove(const std::string& key) {
    std::erase_if(builder_.keys,
                  [&](const auto& have) { return have.name == architecture_ + "." + key; });
    return *this;
  }

  Result<ModelConfig> Read() {
    bytes_ = builder_.Build();
    const auto parsed = formats::ParseGguf(std::as_bytes(std::span(bytes_)), "file.gguf");
    EXPECT_TRUE(parsed) << parsed.error().Message();
    ModelFiles files;
    files.kind = ModelFiles::Kind::kGguf;
    files.path = "file.gguf";
    files.gguf = parsed->metadata;
    return model::Read(files);
  }

 private:
  std::string architecture_;
  formats::testing::GgufBuilder builder_;
  std::string bytes_;
};

void ExpectRefused(const Result<ModelConfig>& config, const char* place, const char* what) {
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().where, HasSubstr(place));
  EXPECT_THAT(config.error().what, HasSubstr(what));
  EXPECT_FALSE(config.error().remedy.empty());
}

TEST(Config, ReadsLlama) {
  const auto config = Read(HuggingFace({{"rms_norm_eps", 1e-5}, {"rope_theta", 5e5}}));
  ASSERT_TRUE(config) << config.error().Message();
  EXPECT_EQ(config->architecture, "llama");
  EXPECT_EQ(config->vocabulary, 100u);
  EXPECT_EQ(config->layers.size(), 4u);
  EXPECT_EQ(config->head_dim, 8u);
  EXPECT_EQ(config->kv_heads, 2u);
  EXPECT_FLOAT_EQ(config->norm_epsilon, 1e-5f);
  EXPECT_EQ(config->ropes.at(0).theta, 5e5);
  EXPECT_FALSE(config->ropes[0].interleaved);
  EXPECT_FALSE(config->qkv_bias);
}

TEST(Config, ReadsGgufLlama) {
  const auto config = Gguf("llama").Set("rope.freq_base", 1e5f).Read();
  ASSERT_TRUE(config) << config.error().Message();
  EXPECT_EQ(config->hidden, 64u);
  EXPECT_EQ(config->ropes.at(0).theta, 1e5);
  EXPECT_TRUE(config->ropes[0].interleaved);
  EXPECT_EQ(config->ropes[0].rotary_dims, 8u);
}

TEST(Config, RopeInOldAndNewForm) {
  const Json parameters = {{"rope_type", "llama3"},  {"factor", 8.0},
                           {"low_freq_factor", 2.0}, {"high_freq_factor", 5.0},
                           {"rope_theta", 1234.0},   {"original_max_position_embeddings", 128}};
  const auto now = Read(HuggingFace({{"rope_parameters", parameters}}));
  Json scaling = parameters;
  scaling.erase("rope_theta");
  const auto old = Read(HuggingFace({{"rope_scaling", scaling}, {"rope_theta", 1234.0}}));
  for (const auto* config : {&now, &old}) {
    ASSERT_TRUE(*config) << config->error().Message();
    const RopeConfig& rope = (*config)->ropes.at(0);
    EXPECT_EQ(rope.type, RopeConfig::Type::kLlama3);
    EXPECT_EQ(rope.theta, 1234.0);
    EXPECT_EQ(rope.factor, 8.0);
    EXPECT_EQ(rope.low_freq_factor, 2.0);
    EXPECT_EQ(rope.high_freq_factor, 5.0);
    EXPECT_EQ(rope.original_context, 128u);
  }
}

TEST(Config, RopeTypesOfGguf) {
  const auto linear =
      Gguf("llama").Set("rope.scaling.type", "linear").Set("rope.scaling.factor", 4.0f).Read();
  ASSERT_TRUE(linear);
  EXPECT_EQ(linear->ropes[0].type, RopeConfig::Type::kLinear);
  EXPECT_EQ(linear->ropes[0].factor, 4.0);
  const auto yarn = Gguf("qwen2")
                        .Set("rope.scaling.type", "yarn")
                        .Set("rope.scaling.factor", 4.0f)
                        .Set("rope.scaling.original_context_length", 128u)
                        .Read();
  ASSERT_TRUE(yarn);
  EXPECT_EQ(yarn->ropes[0].type, RopeConfig::Type::kYarn);
  EXPECT_EQ(yarn->ropes[0].original_context, 128u);
  ExpectRefused(Gguf("llama").Set("rope.scaling.type", "longrope").Read(), "file.gguf", "longrope");
}

TEST(Config, Qwen2) {
  const auto off =
      Read(HuggingFace({{"use_sliding_window", false}, {"sliding_window", 16}}, "qwen2"));
  ASSERT_TRUE(off);
  EXPECT_TRUE(off->qkv_bias);
  EXPECT_EQ(off->layers[3].window, 0u);
  const auto on = Read(HuggingFace(
      {{"use_sliding_window", true}, {"sliding_window", 16}, {"max_window_layers", 3}}, "qwen2"));
  ASSERT_TRUE(on);
  EXPECT_EQ(on->layers[2].window, 0u);
  EXPECT_EQ(on->layers[3].window, 16u);
}

TEST(Config, Qwen3HasAHeadDimOfItsOwn) {
  const auto config = Read(HuggingFace({}, "qwen3"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->head_dim, 128u);
  EXPECT_TRUE(config->qk_norm);
  EXPECT_FLOAT_EQ(config->attention_scale, 0.088388346f);
}

TEST(Config, MistralHasAWindowAndLlamaHasNot) {
  const auto mistral = Read(HuggingFace({{"sliding_window", 77}}, "mistral"));
  ASSERT_TRUE(mistral);
  EXPECT_EQ(mistral->architecture, "llama");
  EXPECT_EQ(mistral->layers[0].window, 77u);
  EXPECT_EQ(Read(HuggingFace({{"sliding_window", nullptr}}, "mistral"))->layers[0].window, 0u);
  EXPECT_EQ(Read(HuggingFace({{"sliding_window", 77}}))->layers[0].window, 0u);
}

TEST(Config, Gemma3InsideAMultimodalModel) {
  ModelFiles files = HuggingFace({}, "gemma3");
  files.config = {{"model_type", "gemma3"},
                  {"eos_token_id", {1, 106}},
                  {"text_config",
                   {{"model_type", "gemma3_text"},
                    {"hidden_size", 2560},
                    {"intermediate_size", 10240},
                    {"num_hidden_layers", 7},
                    {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}},
                    {"sliding_window", 1024}}}};
  const auto config = Read(files);
  ASSERT_TRUE(config) << config.error().Message();
  EXPECT_EQ(config->heads, 8u);
  EXPECT_EQ(config->head_dim, 256u);
  EXPECT_EQ(config->vocabulary, 262208u);
  EXPECT_TRUE(config->norms_add_one);
  EXPECT_FLOAT_EQ(config->attention_scale, 0.0625f);
  EXPECT_EQ(config->eos, (std::vector<std::int32_t>{1, 106}));
  EXPECT_EQ(config->layers[4].window, 1024u);
  EXPECT_EQ(config->layers[5].window, 0u);
  EXPECT_EQ(config->layers[5].rope, 0u);
  EXPECT_EQ(config->layers[6].rope, 1u);
  EXPECT_EQ(config->ropes.at(0).type, RopeConfig::Type::kLinear);
  EXPECT_EQ(config->ropes[0].theta, 1e6);
  EXPECT_EQ(config->ropes.at(1).type, RopeConfig::Type::kDefault);
  EXPECT_EQ(config->ropes[1].theta, 1e4);
}

TEST(Config, Gemma3OfGguf) {
  const auto config = Gguf("gemma3")
                          .Set("attention.key_length", 16u)
                          .Set("attention.sliding_window", 32u)
                          .Set("block_count", 7u)
                          .Read();
  ASSERT_TRUE(config) << config.error().Message();
  EXPECT_FALSE(config->norms_add_one);
  EXPECT_FLOAT_EQ(config->embedding_scale, 8.0f);
  EXPECT_FLOAT_EQ(config->attention_scale, 0.25f);
  EXPECT_EQ(config->layers[0].window, 32u);
  EXPECT_EQ(config->layers[5].window, 0u);
  EXPECT_FALSE(config->ropes[0].interleaved);
}

TEST(Config, EndsOfTextFromAllPlaces) {
  ModelFiles files = HuggingFace({{"bos_token_id", 5}, {"eos_token_id", 6}});
  files.generation_config = Json{{"eos_token_id", {7, 6, -1}}};
  const auto config = Read(files);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->bos, 5);
  EXPECT_EQ(config->eos, (std::vector<std::int32_t>{7, 6}));
}

TEST(Config, UnknownArchitectureListsWhatThereIs) {
  ExpectRefused(Read(HuggingFace({}, "mamba")), "folder", "mamba");
  const auto config = Gguf("falcon").Read();
  ExpectRefused(config, "file.gguf", "falcon");
  EXPECT_THAT(config.error().remedy, HasSubstr("gemma3, llama, qwen2, qwen3"));
  ModelFiles empty;
  empty.path = "none.gguf";
  ExpectRefused(Read(empty), "none.gguf", "do not say");
}

struct BadCase {
  const char* key;
  Json value;
  const char* what;
};

TEST(Config, RefusesAbsurdValues) {
  const BadCase cases[] = {
      {"num_hidden_layers", 0, "num_hidden_layers"},
      {"num_hidden_layers", -3, "num_hidden_layers"},
      {"num_hidden_layers", 1e30, "num_hidden_layers"},
      {"num_hidden_layers", 100000, "num_hidden_layers"},
      {"num_hidden_layers", "absent", "is missing"},
      {"hidden_size", 1 << 30, "hidden_size"},
      {"hidden_size", "64", "not a whole number"},
      {"hidden_size", 18446744073709551615ull, "not a whole number"},
      {"hidden_size", "absent", "is missing"},
      {"intermediate_size", 0.5, "intermediate_size"},
      {"vocab_size", "absent", "is missing"},
      {"vocab_size", -1, "vocab_size"},
      {"num_attention_heads", "absent", "is missing"},
      {"num_attention_heads", 7, "num_key_value_heads"},
      {"num_key_value_heads", 3, "does not divide"},
      {"num_key_value_heads", 16, "does not divide"},
      {"head_dim", 7, "heads of 7 values"},
      {"head_dim", 6, "heads of 6 values"},
      {"head_dim", 1024, "heads of 1024 values"},
      {"hidden_size", 60, "does not divide"},
      {"max_position_embeddings", 1ull << 40, "max_position_embeddings"},
      {"rms_norm_eps", "small", "not a finite number"},
      {"rms_norm_eps", 0.0, "between 0 and 1"},
      {"rms_norm_eps", 2.0, "between 0 and 1"},
      {"hidden_act", "relu", "relu"},
      {"hidden_act", 3, "not text"},
      {"attention_bias", "yes", "neither true nor false"},
      {"partial_rotary_factor", 0.5, "partial_rotary_factor"},
      {"rope_scaling", {{"rope_type", "magic"}, {"factor", 2.0}}, "magic"},
      {"rope_scaling", {{"rope_type", "linear"}}, "no factor"},
      {"rope_scaling", {{"rope_type", "linear"}, {"factor", 1e-300}}, "no context needs"},
      {"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}, "low_freq_factor"},
      {"rope_scaling", 5, "not an object"},
      {"eos_token_id", "x", "names \"x\", but token ids"},
      {"eos_token_id", {1, 1 << 30}, "names 1073741824"},
      {"tie_word_embeddings", "no", "neither true nor false"},
      {"rope_scaling", {{"rope_type", "linear"}, {"factor", "2"}}, "not a finite number"},
  };
  for (const BadCase& bad : cases) {
    SCOPED_TRACE(std::string(bad.key) + " = " + bad.value.dump());
    ExpectRefused(Read(HuggingFace({{bad.key, bad.value}})), "folder/config.json", bad.what);
  }
}

TEST(Config, RefusesAbsurdGguf) {
  ExpectRefused(Gguf("llama").Remove("block_count").Read(), "file.gguf", "llama.block_count");
  ExpectRefused(Gguf("llama").Set("block_count", 0u).Read(), "file.gguf", "llama.block_count");
  ExpectRefused(Gguf("llama").Set("attention.head_count_kv", 3u).Read(), "file.gguf", "divide");
  ExpectRefused(Gguf("llama").Set("expert_count", 8u).Read(), "file.gguf", "experts");
  ExpectRefused(Gguf("llama").Set("attention.key_length", 10u).Read(), "file.gguf", "10 values");
  ExpectRefused(Gguf("llama").Set("attention.value_length", 4u).Read(), "file.gguf", "differs");
  ExpectRefused(Gguf("llama").Set("rope.dimension_count", 16u).Read(), "file.gguf",
                "within a head");
  ExpectRefused(Gguf("llama").Set("embedding_length", "64").Read(), "file.gguf", "whole number");
  ExpectRefused(Gguf("gemma3")
                    .Set("attention.key_length", 8u)
                    .Add("gemma3.attention.sliding_window_pattern", GgufType::kArray,
                         formats::testing::Array(GgufType::kBool, 3, std::string(3, '\1')))
                    .Read(),
                "file.gguf", "every layer");
}

TEST(Config, TakesAUniformArrayForANumber) {
  const std::string eights = formats::testing::Raw(2u) + formats::testing::Raw(2u);
  const auto config = Gguf("llama")
                          .Add("llama.attention.head_count_kv", GgufType::kArray,
                               formats::testing::Array(GgufType::kU32, 2, eights))
                          .Read();
  ASSERT_TRUE(config) << config.error().Message();
  EXPECT_EQ(config->kv_heads, 2u);
  const std::string mixed = formats::testing::Raw(2u) + formats::testing::Raw(4u);
  ExpectRefused(Gguf("llama")
                    .Add("llama.attention.head_count_kv", GgufType::kArray,
                         formats::testing::Array(GgufType::kU32, 2, mixed))
                    .Read(),
                "file.gguf", "layer to layer");
}

TEST(Architectures, AreSortedAndComplete) {
  const auto all = Architectures();
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LT(all[i - 1]->name, all[i]->name);
  for (const Architecture* one : all) {
    EXPECT_NE(one->configure, nullptr);
    EXPECT_NE(one->forward, nullptr);
    EXPECT_FALSE(one->gguf_names.empty());
    EXPECT_FALSE(one->hf_names.empty());
  }
}

}  // namespace
}  // namespace ergo::model
