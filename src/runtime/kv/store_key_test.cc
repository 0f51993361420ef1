#include "runtime/kv/store_key.h"

#include <gtest/gtest.h>

#include <set>

namespace ergo::runtime {
namespace {

StoreKey KeyOf(const std::string& model, kernels::PackAs pack, kernels::KvType kv) {
  const auto files = formats::Open(std::string(ERGO_SOURCE_DIR) + "/tests/golden/models/" + model);
  EXPECT_TRUE(files) << files.error().Message();
  model::LoadOptions options;
  options.pack = pack;
  options.kv = kv;
  const auto loaded = model::Model::Load(*files, options);
  EXPECT_TRUE(loaded) << loaded.error().Message();
  return MakeStoreKey(**loaded, *files);
}

TEST(StoreKey, DependsOnAllThatKeysAndValuesDependOn) {
  using kernels::KvType;
  using kernels::PackAs;
  const std::string key = KeyOf("llama-tiny", PackAs::kF32, KvType::kF32).digest;
  EXPECT_EQ(KeyOf("llama-tiny", PackAs::kF32, KvType::kF32).digest, key);
  const std::set<std::string> keys = {
      key, KeyOf("llama-tiny", PackAs::kF32, KvType::kInt8).digest,
      KeyOf("qwen2-tiny", PackAs::kF32, KvType::kF32).digest,
      KeyOf("qwen2-tiny", PackAs::kInt8, KvType::kF32).digest,  // has rows of whole blocks
  };
  EXPECT_EQ(keys.size(), 4u);
}

}  // namespace
}  // namespace ergo::runtime
