#include "model/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "model/model.h"

namespace ergo::model {
namespace {

using formats::ModelFiles;
using ::testing::HasSubstr;

ModelFiles Tiny(const char* name) {
  auto files =
      formats::Open(std::string(ERGO_SOURCE_DIR) + "/tests/golden/models/" + std::string(name));
  EXPECT_TRUE(files) << files.error().Message();
  return files.value_or(ModelFiles{});
}

TensorView& Tensor(ModelFiles& files, const std::string& name) {
  for (TensorView& tensor : files.tensors) {
    if (tensor.name == name) return tensor;
  }
  ADD_FAILURE() << name;
  return files.tensors.front();
}

void ExpectRefused(const ModelFiles& files, const char* tensor, const char* what) {
  const auto model = Model::Load(files);
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().where, HasSubstr(files.path));
  EXPECT_THAT(model.error().what, HasSubstr(tensor));
  EXPECT_THAT(model.error().what, HasSubstr(what));
}

TEST(Weights, ReportEveryMatrix) {
  const auto model = Model::Load(Tiny("qwen2-tiny"));
  ASSERT_TRUE(model) << model.error().Message();
  EXPECT_TRUE((*model)->config().tied_head);
  EXPECT_EQ((*model)->tensors().size(), 1 + 2 * 7u);
  std::size_t bytes = 0;
  for (const TensorReport& tensor : (*model)->tensors()) {
    EXPECT_FALSE(tensor.kernel.empty());
    EXPECT_EQ(tensor.file_dtype, DType::kBF16);
    EXPECT_GE(tensor.bytes, static_cast<std::size_t>(tensor.shape[0] * tensor.shape[1]) * 2);
    bytes += tensor.bytes;
  }
  EXPECT_GT((*model)->weight_bytes(), bytes);
  EXPECT_GT((*model)->kv_bytes_per_token(), 0u);
}

TEST(Weights, APathThatIsNotThereIsNotReplacedSilently) {
  const char* set = std::getenv("ERGO_CPU");
  const std::string before = set != nullptr ? set : "";
  ::setenv("ERGO_CPU", "avx9", 1);
  const auto model = Model::Load(Tiny("qwen2-tiny"));
  ::setenv("ERGO_CPU", before.c_str(), 1);
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().Message(), HasSubstr("avx9"));
  EXPECT_THAT(model.error().Message(), HasSubstr("use portable, avx2"));
}

TEST(Weights, QuantizeWhatHasWholeBlocks) {
  LoadOptions options;
  options.pack = kernels::PackAs::kInt8;
  const auto model = Model::Load(Tiny("qwen2-tiny"), options);  // hidden 32, intermediate 40
  ASSERT_TRUE(model) << model.error().Message();
  for (const TensorReport& tensor : (*model)->tensors()) {
    EXPECT_EQ(tensor.dtype, tensor.shape[1] == 32 ? DType::kQ8_0 : DType::kBF16) << tensor.name;
  }
}

TEST(Weights, WindowLayersHaveTheirOwnClass) {
  const auto model = Model::Load(Tiny("gemma3-tiny"));
  ASSERT_TRUE(model) << model.error().Message();
  ASSERT_EQ((*model)->kv_classes().size(), 2u);
  EXPECT_EQ((*model)->kv_classes()[0].window, 36u);
  EXPECT_EQ((*model)->kv_classes()[0].layout.layers, 2u);
  EXPECT_EQ((*model)->kv_classes()[1].window, 0u);
  EXPECT_EQ((*model)->kv_classes()[1].layout.layers, 1u);
}

TEST(Weights, MissingTensorIsNamed) {
  for (const char* name :
       {"model.embed_tokens.weight", "model.norm.weight", "model.layers.1.self_attn.q_proj.weight",
        "model.layers.1.self_attn.k_proj.bias", "model.layers.0.post_attention_layernorm.weight"}) {
    ModelFiles files = Tiny("qwen2-tiny");
    std::erase_if(files.tensors, [&](const TensorView& t) { return t.name == name; });
    ExpectRefused(files, name, "missing");
  }
}

TEST(Weights, AHeadOfItsOwnMustBeThere) {
  ModelFiles files = Tiny("qwen2-tiny");
  files.config["tie_word_embeddings"] = false;
  ExpectRefused(files, "lm_head.weight", "missing");
}

TEST(Weights, WrongShapeIsNamed) {
  for (const char* name :
       {"model.embed_tokens.weight", "model.norm.weight", "model.layers.1.self_attn.v_proj.weight",
        "model.layers.1.mlp.down_proj.weight"}) {
    ModelFiles files = Tiny("qwen2-tiny");
    TensorView& tensor = Tensor(files, name);
    tensor.shape[0] /= 2;
    tensor.data = tensor.data.first(tensor.data.size() / 2);
    ExpectRefused(files, name, "shape");
  }
  ModelFiles files = Tiny("qwen2-tiny");
  TensorView& tensor = Tensor(files, "model.layers.1.mlp.up_proj.weight");
  std::swap(tensor.shape[0], tensor.shape[1]);
  ExpectRefused(files, "up_proj", "shape");
}

TEST(Weights, WrongVocabularySizeIsNamed) {
  ModelFiles files = Tiny("qwen2-tiny");
  files.config["vocab_size"] = 300;
  ExpectRefused(files, "model.embed_tokens.weight", "shape");
}

TEST(Weights, MoreLayersThanTensors) {
  ModelFiles files = Tiny("qwen2-tiny");
  files.config["num_hidden_layers"] = 3;
  ExpectRefused(files, "model.layers.2.", "missing");
  files.config["num_hidden_layers"] = 1000;
  const auto model = Model::Load(files);
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().what, HasSubstr("num_hidden_layers"));
}

TEST(Weights, DtypeWithoutAKernelIsNamed) {
  ModelFiles files = Tiny("qwen2-tiny");
  Tensor(files, "model.layers.0.mlp.up_proj.weight").dtype = DType::kI16;
  ExpectRefused(files, "model.layers.0.mlp.up_proj.weight", "");
  files = Tiny("qwen2-tiny");
  Tensor(files, "model.norm.weight").dtype = DType::kI16;
  ExpectRefused(files, "model.norm.weight", "I16");
}

}  // namespace
}  // namespace ergo::model
