#include "formats/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/gguf_split.h"
#include "formats/name_check.h"
#include "formats/testing/gguf_builder.h"
#include "formats/testing/golden.h"
#include "formats/testing/temp_folder.h"

namespace ergo::formats {
namespace {

using testing::ExpectClear;
using testing::GgufBuilder;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::Raw;
using testing::ScopedEnvironment;
using testing::Slurp;
using testing::TempFolder;
using testing::Text;

constexpr OpenOptions kTokenizerOnly{.need_weights = false};

std::string SmallGguf() {
  GgufBuilder builder;
  builder.Add("general.architecture", GgufType::kString, Text("llama"));
  builder.tensors.push_back({"b", {4}, 0, 0});
  builder.tensors.push_back({"a", {4}, 0, 32});
  builder.data = std::string(48, 'x');
  return builder.Build();
}

/// One part of a split model, with one tensor.
std::string Part(int number, int count, int tensors, const std::string& name) {
  GgufBuilder builder;
  builder.Add("split.no", GgufType::kU16, Raw<std::uint16_t>(static_cast<std::uint16_t>(number)));
  builder.Add("split.count", GgufType::kU16, Raw<std::uint16_t>(static_cast<std::uint16_t>(count)));
  builder.Add("split.tensors.count", GgufType::kI32, Raw<std::int32_t>(tensors));
  builder.tensors.push_back({name, {4}, 0, 0});
  builder.data = std::string(16, 'x');
  return builder.Build();
}

std::string SmallSafetensors() {
  const std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  return Raw<std::uint64_t>(header.size()) + header + "data";
}

TEST(OpenTest, GgufFileSortsTensors) {
  const TempFolder folder;
  const auto files = Open(folder.Write("m.gguf", SmallGguf()));
  ASSERT_TRUE(files) << files.error().Message();
  EXPECT_EQ(files->kind, ModelFiles::Kind::kGguf);
  ASSERT_EQ(files->tensors.size(), 2u);
  EXPECT_EQ(files->tensors[0].name, "a");
  EXPECT_EQ(files->Find("b"), &files->tensors[1]);
  EXPECT_EQ(files->Find("c"), nullptr);
  EXPECT_EQ(files->Find(""), nullptr);
  EXPECT_EQ(files->gguf.at("general.architecture").String(), "llama");
}

TEST(OpenTest, VocabularyAloneOnlyWhenNoWeightsAreNeeded) {
  const std::string path = GoldenPath("vocabulary.gguf");
  EXPECT_TRUE(Open(path, kTokenizerOnly));
  const auto files = Open(path);
  ASSERT_FALSE(files);
  ExpectClear(files.error(), "vocabulary.gguf");
}

TEST(OpenTest, AnyPartOfASplitModelOpensAll) {
  for (int part = 1; part <= 3; ++part) {
    const auto files = Open(GoldenPath("split-0000" + std::to_string(part) + "-of-00003.gguf"));
    ASSERT_TRUE(files) << files.error().Message();
    EXPECT_EQ(files->mappings.size(), 3u);
    ASSERT_EQ(files->tensors.size(), 5u);
    for (int i = 0; i < 5; ++i) {
      const TensorView* tensor = files->Find("t" + std::to_string(i));
      ASSERT_NE(tensor, nullptr);
      EXPECT_EQ(std::memcmp(tensor->data.data(), Raw(static_cast<float>(i)).data(), 4), 0);
    }
    EXPECT_EQ(files->gguf.at("general.architecture").String(), "test");
  }
}

TEST(OpenTest, BadSplitsAreNamed) {
  const TempFolder folder;
  const std::string first = folder.Write("m-00001-of-00002.gguf", Part(0, 2, 2, "a"));
  const auto expect = [&](const std::string& file, const char* message) {
    const auto files = Open(first);
    ASSERT_FALSE(files) << message;
    ExpectClear(files.error(), file);
    EXPECT_THAT(files.error().Message(), HasSubstr(message));
  };
  const std::string second = "m-00002-of-00002.gguf";
  expect(second, "No such file");
  folder.Write(second, Part(0, 2, 2, "b"));
  expect(second, "its keys say part 1 of 2, its name part 2 of 2");
  folder.Write(second, Part(1, 3, 2, "b"));
  expect(second, "its keys say part 2 of 3");
  folder.Write(second, Part(1, 2, 3, "b"));
  expect(second, "announces 3 tensors");
  folder.Write(second, Part(1, 2, 2, "a"));
  expect("m-00001", "is in two files");
  folder.Write(second, Part(1, 2, 2, "b"));
  EXPECT_TRUE(Open(first));
  folder.Write("m-00001-of-00002.gguf", Part(0, 2, 7, "a"));
  folder.Write(second, Part(1, 2, 7, "b"));
  expect("m-00001", "hold 2 tensors, but announce 7");
  const auto renamed = Open(folder.Write("renamed.gguf", Part(0, 2, 2, "a")));
  ASSERT_FALSE(renamed);
  EXPECT_THAT(renamed.error().Message(), HasSubstr("one of 2 parts"));
}

TEST(SplitNameTest, ReadsAndWritesNames) {
  const auto name = ParseSplitName("dir/m-00002-of-00010.gguf");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->prefix, "dir/m");
  EXPECT_EQ(name->part, 2u);
  EXPECT_EQ(name->count, 10u);
  EXPECT_EQ(SplitPath(*name, 10), "dir/m-00010-of-00010.gguf");
  for (const char* bad : {"m.gguf", "m-00000-of-00002.gguf", "m-00003-of-00002.gguf",
                          "m-+0001-of-00002.gguf", "m-0001-of-0002.gguf", ""}) {
    EXPECT_FALSE(ParseSplitName(bad)) << bad;
  }
}

TEST(OpenTest, ShardedFolderWithItsTexts) {
  for (const char* path : {"sharded", "sharded/model-00002-of-00002.safetensors"}) {
    const auto files = Open(GoldenPath(path));
    ASSERT_TRUE(files) << files.error().Message();
    EXPECT_EQ(files->kind, ModelFiles::Kind::kHuggingFace);
    EXPECT_EQ(files->tensors.size(), 4u);
    EXPECT_EQ(files->config.at("model_type"), "llama");
    EXPECT_EQ(files->generation_config.value().at("eos_token_id").size(), 2u);
    EXPECT_THAT(files->tokenizer_json.value(), HasSubstr("version"));
    EXPECT_THAT(files->tokenizer_config_json.value(), HasSubstr("<s>"));
    EXPECT_EQ(files->chat_template, "{{ messages[0].content }}\n");
  }
}

TEST(OpenTest, WeightsThatAreNotNeededAreReadOnRequest) {
  const OpenOptions if_there{.need_weights = false, .weights_if_there = true};
  for (const char* path : {"sharded", "split-00001-of-00003.gguf"}) {
    const auto all = Open(GoldenPath(path));
    const auto read = Open(GoldenPath(path), if_there);
    const auto unread = Open(GoldenPath(path), kTokenizerOnly);
    ASSERT_TRUE(all && read && unread);
    EXPECT_EQ(read->tensors.size(), all->tensors.size()) << path;
    EXPECT_LT(unread->tensors.size(), all->tensors.size()) << path;
  }
  EXPECT_TRUE(Open(GoldenPath("vocabulary.gguf"), if_there));
}

TEST(OpenTest, SafetensorsFileWithConfigBeside) {
  const TempFolder folder;
  const std::string path = folder.Write("any.safetensors", SmallSafetensors());
  const auto without = Open(path);
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().Message(), HasSubstr("config.json"));
  folder.Write("config.json", "{}");
  folder.Write("chat_template.json", R"({"chat_template":"T"})");
  const auto files = Open(path);
  ASSERT_TRUE(files) << files.error().Message();
  EXPECT_NE(files->Find("w"), nullptr);
  EXPECT_EQ(files->chat_template, "T");
  EXPECT_TRUE(Open(folder.path()));
}

TEST(OpenTest, TokenizerFolderWithoutWeights) {
  const TempFolder folder;
  folder.Write("tokenizer.json", "{}");
  EXPECT_TRUE(Open(folder.path(), kTokenizerOnly));
  EXPECT_TRUE(Open(folder.path(), {.need_weights = false, .weights_if_there = true}));
  EXPECT_FALSE(Open(folder.path()));
}

TEST(OpenTest, BadFoldersGiveOneClearLine) {
  const TempFolder folder;
  const auto expect = [&](const std::string& file, const char* message) {
    const auto files = Open(folder.path());
    ASSERT_FALSE(files) << message;
    ExpectClear(files.error(), file);
    EXPECT_THAT(files.error().Message(), HasSubstr(message));
  };
  expect(folder.path(), "config.json");
  folder.Write("config.json", "{}");
  expect(folder.path(), "no weights");
  folder.Write("a.safetensors", SmallSafetensors());
  folder.Write("b.safetensors", SmallSafetensors());
  expect(folder.path(), "several .safetensors");
  folder.Write("model.safetensors", SmallSafetensors());
  EXPECT_TRUE(Open(folder.path()));
  folder.Write("config.json", "[]");
  expect("config.json", "not a JSON object");
  folder.Write("config.json", std::string(200, '[') + std::string(200, ']'));
  expect("config.json", "nested deeper");
  folder.Write("config.json", "{\"a\":\"\xFF\"}");
  expect("config.json", "not UTF-8");
  folder.Write("config.json", R"({"a":1,"a":2})");
  expect("config.json", "duplicate key");
  folder.Write("config.json", "");
  expect("config.json", "not valid JSON");
  folder.Write("config.json", "{}");
  folder.Write("generation_config.json", "1");
  expect("generation_config.json", "not a JSON object");
}

TEST(OpenTest, OtherThingsAreRefused) {
  const TempFolder folder;
  for (const std::string& model :
       {folder.Write("x.txt", "hello"), folder.Write("empty", ""), folder / "missing",
        folder.Write("fake.gguf", "hello"), folder.Write("fake.safetensors", "hello"),
        std::string("missing.gguf"), std::string("../../x"), std::string("a/b/c")}) {
    const auto files = Open(model);
    ASSERT_FALSE(files) << model;
    EXPECT_EQ(files.error().Message().find('\n'), std::string::npos);
    EXPECT_FALSE(files.error().remedy.empty()) << files.error().Message();
  }
  EXPECT_FALSE(Open(""));
}

/// A hub cache with one model in it.
class CachedModelTest : public ::testing::Test {
 protected:
  std::string Snapshot(const std::string& model, const std::string& name,
                       const std::string& bytes) {
    const std::string base = "hub/models--" + model;
    folder_.Write(base + "/refs/main", "0123456789abcdef0123456789abcdef01234567");
    return folder_.Write(base + "/snapshots/0123456789abcdef0123456789abcdef01234567/" + name,
                         bytes);
  }

  TempFolder folder_;
  ScopedEnvironment home_{"HF_HOME", folder_.path()};
  ScopedEnvironment cache_{"HF_HUB_CACHE", std::nullopt};
};

TEST_F(CachedModelTest, FolderOfSafetensors) {
  Snapshot("org--name", "config.json", "{}");
  Snapshot("org--name", "model.safetensors", SmallSafetensors());
  const auto files = Open("org/name");
  ASSERT_TRUE(files) << files.error().Message();
  EXPECT_EQ(files->tensors.size(), 1u);
}

TEST_F(CachedModelTest, OnlyGgufAndPickedGguf) {
  Snapshot("org--name", "small-Q4_K_M.gguf", SmallGguf());
  EXPECT_TRUE(Open("org/name"));
  Snapshot("org--name", "q8/small-Q8_0.gguf", SmallGguf());
  const auto two = Open("org/name");
  ASSERT_FALSE(two);
  ExpectClear(two.error(), "org/name");
  EXPECT_THAT(two.error().Message(), HasSubstr("q8/small-Q8_0.gguf"));
  EXPECT_THAT(Open("org/name:small-Q4_K_M.gguf")->path, HasSubstr("small-Q4_K_M.gguf"));
  EXPECT_THAT(Open("org/name:q8/small-Q8_0.gguf")->path, HasSubstr("q8/small-Q8_0.gguf"));
  EXPECT_THAT(Open("org/name:q4_k_m")->path, HasSubstr("small-Q4_K_M.gguf"));
  EXPECT_FALSE(Open("org/name:Q5_K"));
  EXPECT_FALSE(Open("org/name:other.gguf"));
  EXPECT_FALSE(Open("org/name:../../../x.gguf"));
}

TEST_F(CachedModelTest, AbsentModelSaysHowToFetchIt) {
  const auto files = Open("org/absent");
  ASSERT_FALSE(files);
  ExpectClear(files.error(), "org/absent");
  EXPECT_THAT(files.error().remedy, HasSubstr("ergo pull org/absent"));
}

TEST(NameCheckTest, SafePaths) {
  for (const char* good : {"a", "a.gguf", "q4/a.gguf", "a..b", "...x", "ü"}) {
    EXPECT_TRUE(IsSafeRelativePath(good)) << good;
  }
  for (const char* bad : {"", "/", "/a", "a/", "..", "../a", "a/../b", "a/..", ".", "a/./b", "a//b",
                          "a\\b", "c:a", "a\nb", "\xFF"}) {
    EXPECT_FALSE(IsSafeRelativePath(bad)) << bad;
  }
}

}  // namespace
}  // namespace ergo::formats
