// `ergo list`, `ergo rm`, `ergo show` and names of stored models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/testing/command_line.h"
#include "generate/testing/tiny_model.h"

namespace ergo::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::ErrorLine;
using testing::Execute;
using ::testing::HasSubstr;
using testing::Ran;
using ::testing::StartsWith;

/// A cache with a file that is no model and a model as the hub stores it.
class StoredModelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string shape = (fs::temp_directory_path() / "ergo-cli-XXXXXX").string();
    ASSERT_NE(::mkdtemp(shape.data()), nullptr);
    cache_ = shape;
    fs::create_directories(cache_ / "ergo" / "models");
    std::ofstream(cache_ / "ergo" / "models" / "small.gguf") << "bytes";
    std::ofstream(cache_ / "ergo" / "models" / "notes.txt") << "no model";
    const fs::path repo = cache_ / "hub" / "models--org--tiny";
    const fs::path snapshot = repo / "snapshots" / "0123456789012345678901234567890123456789";
    fs::create_directories(repo / "refs");
    fs::create_directories(repo / "blobs");
    fs::create_directories(snapshot);
    std::ofstream(repo / "refs" / "main") << "0123456789012345678901234567890123456789";
    for (const auto& file : fs::directory_iterator(folder_.path())) {
      fs::copy_file(file.path(), repo / "blobs" / file.path().filename());
      fs::create_symlink(fs::path("../../blobs") / file.path().filename(),
                         snapshot / file.path().filename());
    }
    setenv("XDG_CACHE_HOME", cache_.c_str(), 1);
    setenv("HF_HUB_CACHE", (cache_ / "hub").c_str(), 1);
    unsetenv("ERGO_MODEL");
  }
  void TearDown() override {
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HF_HUB_CACHE");
    unsetenv("ERGO_MODEL");
    std::error_code ignored;
    fs::remove_all(cache_, ignored);
  }

  generate::testing::TinyFolder folder_;
  fs::path cache_;
};

TEST_F(StoredModelsTest, ListAndRemove) {
  EXPECT_EQ(Execute({"list", "--names"}).out, "small\norg/tiny\n");
  EXPECT_THAT(Execute({"list"}).out, AllOf(HasSubstr("NAME"), HasSubstr("small.gguf")));
  EXPECT_THAT(ErrorLine({"rm", "smal"}), HasSubstr("did you mean small?"));
  EXPECT_EQ(Execute({"rm", "small", "org/tiny"}).status, kOk);
  EXPECT_EQ(Execute({"list", "--names"}).out, "");
  EXPECT_TRUE(fs::exists(cache_ / "ergo" / "models" / "notes.txt"));
  EXPECT_FALSE(fs::exists(cache_ / "hub" / "models--org--tiny"));
  const Ran none = Execute({"list"});
  EXPECT_EQ(none.status, kOk);
  EXPECT_THAT(none.err, HasSubstr("ergo pull org/name"));
  EXPECT_EQ(Execute({"rm"}).status, kUsage);
  EXPECT_THAT(Execute({"pull"}).err, HasSubstr("argument is missing"));
}

TEST_F(StoredModelsTest, NothingOutsideTheCacheIsRemoved) {
  for (const char* name : {"../../etc", "/etc/hosts", "notes", "notes.txt", ".", "org", "org/.."}) {
    EXPECT_THAT(ErrorLine({"rm", name}), HasSubstr("no such model")) << name;
  }
  EXPECT_EQ(Execute({"list", "--names"}).out, "small\norg/tiny\n");
}

TEST_F(StoredModelsTest, AListedNameIsFoundAndABrokenFileIsRefused) {
  EXPECT_THAT(ErrorLine({"show", "small"}), HasSubstr("/ergo/models/small.gguf: "));
  setenv("ERGO_MODEL", "small", 1);
  EXPECT_THAT(ErrorLine({"show"}), HasSubstr("/ergo/models/small.gguf: "));
  unsetenv("ERGO_MODEL");
  EXPECT_THAT(ErrorLine({"show"}), HasSubstr("-m"));
  EXPECT_THAT(ErrorLine({"show", "org/none"}), HasSubstr("ergo pull org/none"));
}

TEST_F(StoredModelsTest, ShowDescribesAModel) {
  const Ran ran = Execute({"show", "org/tiny"});
  ASSERT_EQ(ran.status, kOk) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("model "));
  for (const char* part :
       {"\nfamily       llama\n", "2 of 24 values", "6 heads of 4 on 3 key/value", "512 tokens",
        "211 tokens", "F32 100.0%", "\nmemory ", "model.layers.*.mlp.up_proj.weight"}) {
    EXPECT_THAT(ran.out, HasSubstr(part));
  }
  EXPECT_THAT(Execute({"show", "--tensors", "org/tiny"}).out,
              HasSubstr("model.layers.1.mlp.up_proj.weight"));
}

TEST_F(StoredModelsTest, ShowPrintsTemplateKernelsAndValues) {
  EXPECT_EQ(Execute({"show", "--template", "org/tiny"}).out, generate::testing::kTemplate);
  const Ran kernels = Execute({"show", "--kernels", "org/tiny"});
  ASSERT_EQ(kernels.status, kOk) << kernels.err;
  EXPECT_THAT(kernels.out,
              AllOf(HasSubstr("model.layers.1.mlp.up_proj.weight"), HasSubstr("a token reads ")));
  EXPECT_EQ(Execute({"show", "--dump", "model.norm.weight", "org/tiny"}).out.size(), 24u * 4);
  EXPECT_THAT(ErrorLine({"show", "--dump", "none", "org/tiny"}),
              AllOf(HasSubstr("none"), HasSubstr("ergo show --tensors")));
}

}  // namespace
}  // namespace ergo::cli
