#include "formats/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/testing/gguf_builder.h"
#include "formats/testing/golden.h"
#include "formats/testing/temp_folder.h"

namespace ergo::formats {
namespace {

using testing::ExpectClear;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::Raw;
using testing::TempFolder;

constexpr char kPath[] = "some/model.safetensors";
constexpr char kGood[] = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                         R"("b":{"dtype":"U8","shape":[2,2],"data_offsets":[8,12]}})";

std::string File(const std::string& header, std::size_t data_bytes) {
  return Raw<std::uint64_t>(header.size()) + header + std::string(data_bytes, 'x');
}

Result<SafetensorsFile> Parse(const std::string& bytes) {
  return ParseSafetensors(std::as_bytes(std::span(bytes)), kPath);
}

TEST(SafetensorsTest, ReadsWhatThePackageWrites) {
  const auto file = ReadSafetensors(GoldenPath("all.safetensors"));
  ASSERT_TRUE(file) << file.error().Message();
  EXPECT_EQ(file->metadata.at("format"), "pt");
  testing::ExpectTensors(file->tensors, "all.safetensors");
}

TEST(SafetensorsTest, PlacesData) {
  const std::string bytes = File(kGood, 12);
  const auto file = Parse(bytes);
  ASSERT_TRUE(file) << file.error().Message();
  ASSERT_EQ(file->tensors.size(), 2u);
  EXPECT_EQ(file->tensors[1].name, "b");
  EXPECT_EQ(file->tensors[1].data.data(),
            reinterpret_cast<const std::byte*>(bytes.data() + bytes.size() - 4));
}

TEST(SafetensorsTest, AcceptsPaddedHeadersAndNoTensors) {
  EXPECT_TRUE(Parse(File(std::string(kGood) + "     ", 12)));
  EXPECT_TRUE(Parse(File("{}", 0)));
}

struct BadHeader {
  const char* name;
  std::string header;
  std::size_t data_bytes;
  const char* message;
};

std::string One(const std::string& fields) { return "{\"a\":{" + fields + "}}"; }

const BadHeader kBadHeaders[] = {
    {"not_json", "{\"a\":", 0, "not valid JSON"},
    {"not_object", "[1]", 0, "not a JSON object"},
    {"empty", "", 0, "not a JSON object"},
    {"not_utf8", "{\"\xFF\":1}", 0, "not UTF-8"},
    {"deep", "{\"a\":" + std::string(100000, '[') + "}", 0, "nested deeper"},
    {"tensor_is_number", "{\"a\":1}", 0, "not described by an object"},
    {"no_dtype", One(R"("shape":[],"data_offsets":[0,0])"), 0, "lacks"},
    {"no_shape", One(R"("dtype":"F32","data_offsets":[0,4])"), 4, "lacks"},
    {"no_offsets", One(R"("dtype":"F32","shape":[])"), 4, "lacks"},
    {"dtype_number", One(R"("dtype":1,"shape":[],"data_offsets":[0,4])"), 4, "not a text"},
    {"dtype_unknown", One(R"("dtype":"F31","shape":[],"data_offsets":[0,4])"), 4, "\"F31\""},
    {"dtype_block", One(R"("dtype":"Q4_0","shape":[32],"data_offsets":[0,18])"), 18, "\"Q4_0\""},
    {"dtype_with_newline", One(R"("dtype":"F\n1","shape":[],"data_offsets":[0,4])"), 4, "\\x0a"},
    {"shape_text", One(R"("dtype":"F32","shape":"2","data_offsets":[0,8])"), 8, "shape"},
    {"negative", One(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), 8, "extent"},
    {"fraction", One(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), 8, "extent"},
    {"past_2_63", One(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8])"), 8,
     "extent"},
    {"past_2_64", One(R"("dtype":"F32","shape":[99999999999999999999999],"data_offsets":[0,8])"), 8,
     "extent"},
    {"elements_overflow",
     One(R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0])"), 0, "2^63"},
    {"bytes_overflow", One(R"("dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0])"),
     0, "which its shape and type do not give"},
    {"rank_33",
     One(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],)"
         R"("data_offsets":[0,1])"),
     1, "at most 32"},
    {"offsets_one", One(R"("dtype":"F32","shape":[],"data_offsets":[4])"), 4, "data_offsets"},
    {"offsets_backward", One(R"("dtype":"F32","shape":[],"data_offsets":[4,0])"), 4,
     "data_offsets"},
    {"offsets_negative", One(R"("dtype":"F32","shape":[],"data_offsets":[-4,0])"), 4,
     "data_offsets"},
    {"size_wrong", One(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4, "takes 4 bytes"},
    {"past_end", One(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 7, "past the file"},
    {"data_after", One(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), 5,
     "1 bytes after the last tensor"},
    {"hole_at_start", One(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), 8, "a hole"},
    {"hole",
     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
     R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
     3, "a hole"},
    {"overlap",
     R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
     R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
     3, "overlaps"},
    {"same_place",
     R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
     R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
     2, "overlaps"},
    {"duplicate",
     R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
     R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
     2, "duplicate key"},
    {"duplicate_field", One(R"("dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1])"), 1,
     "duplicate key"},
    {"name_empty", R"({"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "is empty"},
    {"name_control", R"({"\u001b[2J":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1,
     "control characters"},
    {"metadata_list", R"({"__metadata__":[]})", 0, "__metadata__"},
    {"metadata_number", R"({"__metadata__":{"x":1}})", 0, "not a text"},
    {"text_after", std::string(kGood) + "{}", 12, "not valid JSON"},
    {"nul_after", std::string(kGood) + std::string("\0{", 2), 12, "NUL"},
};

class BadSafetensorsTest : public ::testing::TestWithParam<BadHeader> {};

TEST_P(BadSafetensorsTest, GivesOneClearLine) {
  const auto file = Parse(File(GetParam().header, GetParam().data_bytes));
  ASSERT_FALSE(file);
  ExpectClear(file.error(), kPath);
  EXPECT_THAT(file.error().Message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(Table, BadSafetensorsTest, ::testing::ValuesIn(kBadHeaders),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(SafetensorsTest, RefusesWrongHeaderLengths) {
  const std::string good = File(kGood, 12);
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{good.size() - 7}, UINT64_C(100'000'001),
        UINT64_MAX, UINT64_MAX - 7}) {
    const auto file = Parse(Raw(length) + good.substr(8));
    ASSERT_FALSE(file) << length;
    ExpectClear(file.error(), kPath);
  }
}

TEST(SafetensorsTest, EveryTruncationIsRefused) {
  const std::string bytes = File(kGood, 12);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(reinterpret_cast<const std::byte*>(bytes.data()),
                                     reinterpret_cast<const std::byte*>(bytes.data() + size));
    const auto file = ParseSafetensors(cut, kPath);
    ASSERT_FALSE(file) << size;
    ExpectClear(file.error(), kPath);
  }
}

TEST(ShardedSafetensorsTest, ReadsAllShards) {
  const auto model = ReadShardedSafetensors(GoldenPath("sharded/model.safetensors.index.json"));
  ASSERT_TRUE(model) << model.error().Message();
  EXPECT_EQ(model->files.size(), 2u);
  EXPECT_EQ(model->tensors.size(), 4u);
}

TEST(ShardedSafetensorsTest, RefusesShardsThatAreNotPlainNames) {
  for (const char* name : {"../model.safetensors", "/etc/passwd", "/x.safetensors",
                           "a/b.safetensors", "..", "a\\\\b.safetensors", "", "model.bin",
                           "c:x.safetensors", "a\\u0000.safetensors", "./a.safetensors"}) {
    const auto index =
        ParseSafetensorsIndex(std::string(R"({"weight_map":{"t":")") + name + "\"}}", "index.json");
    ASSERT_FALSE(index) << name;
    ExpectClear(index.error(), "index.json");
  }
}

TEST(ShardedSafetensorsTest, RefusesBadIndexes) {
  for (const char* text : {"", "[]", "1", "{}", R"({"weight_map":[]})", R"({"weight_map":{}})",
                           R"({"weight_map":{"t":1}})", R"({"weight_map":{"":"a.safetensors"}})",
                           R"({"weight_map":{"t":"a.safetensors","t":"b.safetensors"}})"}) {
    const auto index = ParseSafetensorsIndex(text, "index.json");
    ASSERT_FALSE(index) << text;
    ExpectClear(index.error(), "index.json");
  }
}

TEST(ShardedSafetensorsTest, SaysWhatIsMissing) {
  const TempFolder folder;
  folder.Write("one.safetensors", File(kGood, 12));
  const auto index =
      folder.Write("model.safetensors.index.json",
                   R"({"weight_map":{"a":"one.safetensors","z":"one.safetensors"}})");
  const auto tensor = ReadShardedSafetensors(index);
  ASSERT_FALSE(tensor);
  EXPECT_THAT(tensor.error().Message(), HasSubstr("\"z\" is missing"));
  ExpectClear(tensor.error(), "one.safetensors");
  folder.Write("model.safetensors.index.json", R"({"weight_map":{"a":"two.safetensors"}})");
  const auto shard = ReadShardedSafetensors(index);
  ASSERT_FALSE(shard);
  ExpectClear(shard.error(), "two.safetensors");
}

}  // namespace
}  // namespace ergo::formats
