#include "model/files_digest.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "formats/testing/temp_folder.h"

namespace ergo::model {
namespace {

std::string DigestOf(const std::string& folder) {
  const auto files = formats::Open(folder);
  EXPECT_TRUE(files) << files.error().Message();
  return files ? FilesDigest(*files) : std::string();
}

/// Changes one byte of a file, counted from its end.
void Change(const std::string& file, std::size_t from_end, char to) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  ASSERT_GE(bytes.size(), from_end);
  ASSERT_NE(bytes[bytes.size() - from_end], to);
  bytes[bytes.size() - from_end] = to;
  std::ofstream(file, std::ios::binary) << bytes;
}

TEST(FilesDigest, TellsModelsApartByOneByte) {
  const std::string golden = std::string(ERGO_SOURCE_DIR) + "/tests/golden/models/llama-tiny";
  const std::string digest = DigestOf(golden);
  EXPECT_EQ(digest.size(), 32u);
  const formats::testing::TempFolder folder;
  std::filesystem::copy(golden, folder.path(), std::filesystem::copy_options::recursive);
  EXPECT_EQ(DigestOf(folder.path()), digest);

  Change(folder / "model.safetensors", 1, '\x55');
  const std::string other_weights = DigestOf(folder.path());
  EXPECT_NE(other_weights, digest);
  std::ifstream in(folder / "config.json");
  std::string config{std::istreambuf_iterator<char>(in), {}};
  config.insert(config.find('{') + 1, "\"added\": 1, ");
  std::ofstream(folder / "config.json") << config;
  const std::string other_config = DigestOf(folder.path());
  EXPECT_NE(other_config, digest);
  EXPECT_NE(other_config, other_weights);
}

}  // namespace
}  // namespace ergo::model
