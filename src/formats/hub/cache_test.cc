#include "formats/hub/cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "formats/testing/temp_folder.h"

namespace ergo::formats::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScopedEnvironment;
using testing::TempFolder;

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

TEST(CacheTest, ReadsIds) {
  EXPECT_EQ(ParseModelId("org/name")->id, "org/name");
  EXPECT_EQ(ParseModelId("org/Name-1.5_b")->id, "org/Name-1.5_b");
  EXPECT_EQ(ParseModelId("gpt2")->id, "gpt2");
  EXPECT_EQ(ParseModelId("org/name:Q4_K_M")->file, "Q4_K_M");
  EXPECT_EQ(ParseModelId("org/name:a/b.gguf")->file, "a/b.gguf");
  for (const char* bad :
       {"", "/", "org/", "/name", "a/b/c", "../x", "org/..", "org/.hidden", "org/na me", "o--g/x",
        "org/a--b", "org/name:", "org/name:../x", "org/name:/x", "-o/x", "org/näme"}) {
    EXPECT_FALSE(ParseModelId(bad)) << bad;
  }
}

TEST(CacheTest, RootFollowsTheEnvironment) {
  const ScopedEnvironment home("HOME", "/home/one");
  const ScopedEnvironment xdg("XDG_CACHE_HOME", std::nullopt);
  const ScopedEnvironment hf("HF_HOME", std::nullopt);
  const ScopedEnvironment cache("HF_HUB_CACHE", std::nullopt);
  EXPECT_EQ(CacheRoot(), "/home/one/.cache/huggingface/hub");
  const ScopedEnvironment xdg2("XDG_CACHE_HOME", "/xdg");
  EXPECT_EQ(CacheRoot(), "/xdg/huggingface/hub");
  const ScopedEnvironment hf2("HF_HOME", "/hf");
  EXPECT_EQ(CacheRoot(), "/hf/hub");
  const ScopedEnvironment cache2("HF_HUB_CACHE", "/cache");
  EXPECT_EQ(CacheRoot(), "/cache");
  EXPECT_EQ(ModelFolder(CacheRoot(), "org/name"), "/cache/models--org--name");
}

/// A cache as the hub's own client leaves it.
void Fill(const TempFolder& folder) {
  const std::string base = "models--org--name/";
  folder.Write(base + "blobs/aa", "12345");
  folder.Write(base + "blobs/bb", "123");
  folder.Write(base + "refs/main", std::string(kCommit) + "\n");
  const std::string snapshot = base + "snapshots/" + kCommit + "/";
  std::filesystem::create_directories(folder / (snapshot + "sub"));
  std::filesystem::create_symlink("../../blobs/aa", folder / (snapshot + "config.json"));
  std::filesystem::create_symlink("../../../blobs/bb", folder / (snapshot + "sub/m.gguf"));
  std::filesystem::create_symlink("../../blobs/gone", folder / (snapshot + "broken"));
}

TEST(CacheTest, ListsModels) {
  const TempFolder folder;
  Fill(folder);
  folder.Write("models--cut/blobs/cc.incomplete", "1");
  folder.Write("datasets--org--data/blobs/x", "1");
  folder.Write("models--/x", "1");
  folder.Write("version.txt", "1");
  const auto models = ListModels(folder.path());
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].id, "cut");
  EXPECT_TRUE(models[0].unfinished);
  EXPECT_EQ(models[0].snapshot, "");
  EXPECT_EQ(models[1].id, "org/name");
  EXPECT_EQ(models[1].bytes, 8u);
  EXPECT_FALSE(models[1].unfinished);
  EXPECT_THAT(models[1].files, ElementsAre("config.json", "sub/m.gguf"));
  EXPECT_TRUE(ListModels(folder / "nowhere").empty());
}

TEST(CacheTest, FindsSnapshots) {
  const TempFolder folder;
  Fill(folder);
  const std::string snapshot = folder / "models--org--name/snapshots/" + kCommit;
  EXPECT_EQ(FindSnapshot(folder.path(), "org/name").value(), snapshot);
  // Without a ref the only snapshot is meant; with two there is no telling.
  std::filesystem::remove(folder / "models--org--name/refs/main");
  EXPECT_EQ(FindSnapshot(folder.path(), "org/name").value(), snapshot);
  std::filesystem::create_directories(folder / "models--org--name/snapshots/fedcba9");
  EXPECT_FALSE(FindSnapshot(folder.path(), "org/name"));
  // A ref that leaves its folder is no commit.
  folder.Write("models--org--name/refs/main", "../../..");
  EXPECT_FALSE(FindSnapshot(folder.path(), "org/name"));
  EXPECT_FALSE(FindSnapshot(folder.path(), "org/none"));
  EXPECT_FALSE(FindSnapshot("", "org/name"));
}

TEST(CacheTest, RemovesOneModelAndNothingElse) {
  const TempFolder folder;
  Fill(folder);
  folder.Write("models--org--other/blobs/x", "1");
  EXPECT_EQ(RemoveModel(folder.path(), "org/name").value(), 8u);
  EXPECT_FALSE(std::filesystem::exists(folder / "models--org--name"));
  EXPECT_TRUE(std::filesystem::exists(folder / "models--org--other"));
  for (const char* id : {"org/name", "..", "../..", "", "org/other:x.gguf"}) {
    const auto removed = RemoveModel(folder.path(), id);
    ASSERT_FALSE(removed) << id;
    EXPECT_FALSE(removed.error().remedy.empty());
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "models--org--other"));
}

TEST(CacheTest, PicksGgufFiles) {
  const std::vector<std::string> files = {"a-Q4_0.gguf", "b/a-Q8_0-00001-of-00002.gguf",
                                          "b/a-Q8_0-00002-of-00002.gguf", "config.json",
                                          "mmproj-f16.gguf"};
  EXPECT_EQ(PickGguf(files, "q4_0", "o/n").value(), "a-Q4_0.gguf");
  EXPECT_EQ(PickGguf(files, "Q8_0", "o/n").value(), "b/a-Q8_0-00001-of-00002.gguf");
  EXPECT_EQ(PickGguf(files, "b/a-Q8_0-00002-of-00002.gguf", "o/n").value(),
            "b/a-Q8_0-00001-of-00002.gguf");
  EXPECT_EQ(PickGguf({"x.gguf", "mmproj.gguf"}, "", "o/n").value(), "x.gguf");
  EXPECT_THAT(PickGguf(files, "", "o/n").error().Message(), HasSubstr("o/n:a-Q4_0.gguf"));
  EXPECT_THAT(PickGguf(files, "Q2_K", "o/n").error().Message(), HasSubstr("a-Q4_0.gguf"));
  EXPECT_FALSE(PickGguf({"config.json"}, "", "o/n"));
}

}  // namespace
}  // namespace ergo::formats::hub
