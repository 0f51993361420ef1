#include "base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ergo {
namespace {

using ::testing::HasSubstr;

class MappedFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string shape = (std::filesystem::temp_directory_path() / "ergo-map-XXXXXX").string();
    ASSERT_NE(::mkdtemp(shape.data()), nullptr);
    folder_ = shape;
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
};

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_F(MappedFileTest, MapsAllBytes) {
  const std::string bytes("a\0b\nc", 5);
  const auto file = MappedFile::Open(Write("x", bytes));
  ASSERT_TRUE(file) << file.error().Message();
  EXPECT_EQ(Text(file->bytes()), bytes);
  EXPECT_EQ(file->path(), (folder_ / "x").string());
}

TEST_F(MappedFileTest, CopiesKeepTheMapping) {
  MappedFile copy;
  EXPECT_TRUE(copy.bytes().empty());
  {
    auto file = MappedFile::Open(Write("x", "hello"));
    ASSERT_TRUE(file);
    copy = *file;
  }
  std::filesystem::remove(folder_ / "x");
  EXPECT_EQ(Text(copy.bytes()), "hello");
}

TEST_F(MappedFileTest, ReleasedPagesAreReadAgain) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::string bytes(4 * page + 100, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 13) bytes[i] = static_cast<char>(i);
  const auto file = MappedFile::Open(Write("x", bytes));
  ASSERT_TRUE(file);
  EXPECT_EQ(Text(file->bytes()), bytes);
  file->Release(file->bytes());
  file->Release(file->bytes().subspan(100, page));  // holds no whole page
  file->Release({});
  EXPECT_EQ(Text(file->bytes()), bytes);
}

TEST_F(MappedFileTest, FollowsLinks) {
  Write("x", "hello");
  std::filesystem::create_symlink("x", folder_ / "link");
  EXPECT_EQ(Text(MappedFile::Open((folder_ / "link").string())->bytes()), "hello");
}

TEST_F(MappedFileTest, RefusesWhatIsNoFile) {
  const auto expect = [](const std::string& path, const char* message) {
    const auto file = MappedFile::Open(path);
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().Message(), HasSubstr(message));
    EXPECT_EQ(file.error().where, path);
  };
  expect((folder_ / "none").string(), "No such file");
  expect(folder_.string(), "is a folder");
  expect(Write("empty", ""), "empty");
  expect("/dev/null", "not a regular file");
  const std::string pipe = (folder_ / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect(pipe, "not a regular file");  // and does not wait for a writer
}

TEST_F(MappedFileTest, ReadFileReadsUpToItsLimit) {
  EXPECT_EQ(ReadFile(Write("x", "12345"), 5).value(), "12345");
  EXPECT_EQ(ReadFile(Write("empty", ""), 5).value(), "");
  const auto large = ReadFile(Write("x", "123456"), 5);
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().Message(), HasSubstr("6 bytes is over the limit of 5"));
  EXPECT_FALSE(ReadFile((folder_ / "none").string(), 5));
  EXPECT_FALSE(ReadFile(folder_.string(), 1 << 20));
  EXPECT_FALSE(ReadFile("/dev/zero", 5));
}

}  // namespace
}  // namespace ergo
