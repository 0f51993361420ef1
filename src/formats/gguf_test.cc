#include "formats/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "formats/testing/gguf_builder.h"
#include "formats/testing/golden.h"
#include "formats/testing/temp_folder.h"

namespace ergo::formats {
namespace {

using testing::Array;
using ::testing::ElementsAre;
using testing::ExpectClear;
using testing::GgufBuilder;
using testing::GoldenPath;
using ::testing::HasSubstr;
using testing::Raw;
using testing::TempFolder;
using testing::Text;

constexpr char kPath[] = "some/model.gguf";

Result<GgufFile> Parse(const std::string& bytes) {
  return ParseGguf(std::as_bytes(std::span(bytes)), kPath);
}

/// Two F32 tensors of 8 elements, a few keys.
GgufBuilder Good() {
  GgufBuilder builder;
  builder.Add("general.architecture", GgufType::kString, Text("llama"));
  builder.Add("tokens", GgufType::kArray, Array(GgufType::kString, 2, Text("a") + Text("bc")));
  builder.Add("flags", GgufType::kArray, Array(GgufType::kBool, 2, std::string("\1\0", 2)));
  builder.Add("bool", GgufType::kBool, "\1");
  builder.Add("number", GgufType::kU32, Raw<std::uint32_t>(7));
  builder.tensors.push_back({"first", {4, 2}, 0, 0});
  builder.tensors.push_back({"second", {8}, 0, 32});
  builder.data = std::string(64, 'x');
  return builder;
}

TEST(GgufTest, ReadsWhatThePackageWrites) {
  const auto file = ReadGguf(GoldenPath("all.gguf"));
  ASSERT_TRUE(file) << file.error().Message();
  EXPECT_EQ(file->version, 3u);
  testing::ExpectTensors(file->tensors, "all.gguf");
  const auto value = [&](const char* key) { return file->metadata.at(key); };
  EXPECT_EQ(value("general.architecture").String(), "test");
  EXPECT_EQ(value("test.u8").Int(), 255);
  EXPECT_EQ(value("test.i8").Int(), -128);
  EXPECT_EQ(value("test.u16").Int(), 65535);
  EXPECT_EQ(value("test.i16").Int(), -32768);
  EXPECT_EQ(value("test.u32").Int(), 4294967295);
  EXPECT_EQ(value("test.i32").Int(), -2147483648);
  EXPECT_EQ(value("test.u64").Int(), std::nullopt);
  EXPECT_EQ(value("test.u64").Float(), 0x1p64);
  EXPECT_EQ(value("test.i64").Int(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(value("test.f32").Float(), 0.5);
  EXPECT_EQ(value("test.f64").Float(), 1e300);
  EXPECT_EQ(value("test.bool").Bool(), true);
  EXPECT_EQ(value("test.string").String(), "grüße, 世界");
  EXPECT_THAT(value("test.strings").Strings().value(), ElementsAre("", "a", "▁the", "Ġ"));
  EXPECT_THAT(value("test.ints").Ints().value(), ElementsAre(1, -2, 3));
  EXPECT_THAT(value("test.floats").Floats().value(), ElementsAre(0.5f, -1.5f));
  EXPECT_THAT(value("test.bools").Ints().value(), ElementsAre(1, 0));
}

TEST(GgufTest, ReadsVersion2AndFilesWithoutTensors) {
  for (const char* name : {"vocabulary.gguf", "vocabulary_v2.gguf"}) {
    const auto file = ReadGguf(GoldenPath(name));
    ASSERT_TRUE(file) << file.error().Message();
    EXPECT_TRUE(file->tensors.empty());
    EXPECT_THAT(file->metadata.at("tokenizer.ggml.tokens").Strings().value(),
                ElementsAre("a", "b"));
  }
}

TEST(GgufTest, RefusesBigEndianFiles) {
  const auto file = ReadGguf(GoldenPath("big_endian.gguf"));
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().Message(), HasSubstr("big-endian"));
}

TEST(GgufTest, TurnsShapesOutermostFirstAndViewsTheData) {
  const std::string bytes = Good().Build();
  const auto file = Parse(bytes);
  ASSERT_TRUE(file) << file.error().Message();
  ASSERT_EQ(file->tensors.size(), 2u);
  EXPECT_THAT(file->tensors[0].shape, ElementsAre(2, 4));
  EXPECT_EQ(file->tensors[1].data.data(),
            reinterpret_cast<const std::byte*>(bytes.data() + bytes.size() - 32));
}

TEST(GgufTest, ValuesOfOtherKindsGiveNothing) {
  const std::string bytes = Good().Build();
  const auto file = Parse(bytes);
  ASSERT_TRUE(file) << file.error().Message();
  const GgufValue& text = file->metadata.at("general.architecture");
  EXPECT_FALSE(text.Int() || text.Float() || text.Bool() || text.Ints() || text.Strings());
  const GgufValue& number = file->metadata.at("number");
  EXPECT_FALSE(number.Bool() || number.String() || number.Floats());
  const GgufValue& tokens = file->metadata.at("tokens");
  EXPECT_FALSE(tokens.Int() || tokens.Ints() || tokens.Floats() || tokens.String());
}

TEST(GgufTest, IntOfAFloatOnlyWhenExact) {
  const auto int_of = [](double number) {
    const std::string payload = Raw(number);
    GgufValue value;
    value.type = GgufType::kF64;
    value.bytes = std::as_bytes(std::span(payload));
    return value.Int();
  };
  EXPECT_EQ(int_of(3.0), 3);
  EXPECT_EQ(int_of(-0x1p63), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(int_of(3.5), std::nullopt);
  EXPECT_EQ(int_of(0x1p63), std::nullopt);
  EXPECT_EQ(int_of(std::numeric_limits<double>::quiet_NaN()), std::nullopt);
}

struct BadFile {
  const char* name;
  std::function<void(GgufBuilder&)> spoil;
  const char* message;  ///< part of it
};

const BadFile kBadFiles[] = {
    {"magic", [](auto& b) { b.magic = "GGML"; }, "does not begin with"},
    {"version1", [](auto& b) { b.version = 1; }, "version 1"},
    {"version4", [](auto& b) { b.version = 4; }, "version 4"},
    {"big_endian", [](auto& b) { b.version = 0x03000000; }, "big-endian"},
    {"many_keys", [](auto& b) { b.key_count = UINT64_MAX; }, "metadata keys"},
    {"many_tensors", [](auto& b) { b.tensor_count = UINT64_C(1) << 62; }, "tensors, more than"},
    {"a_key_too_much", [](auto& b) { b.key_count = 6; }, "at byte"},
    {"a_tensor_too_much", [](auto& b) { b.tensor_count = 3; }, "at byte"},
    {"empty_key", [](auto& b) { b.keys[0].name = ""; }, "is empty"},
    {"key_not_utf8", [](auto& b) { b.keys[0].name = "a\xFF"; }, "not UTF-8"},
    {"key_twice", [](auto& b) { b.keys[1] = b.keys[0]; }, "appears twice"},
    {"key_with_newline", [](auto& b) { b.keys[0].name = "a\nb"; }, "control characters"},
    {"unknown_type", [](auto& b) { b.keys[0].type = 13; }, "unknown type 13"},
    {"bool_of_2", [](auto& b) { b.keys[3].payload = "\2"; }, "neither 0 nor 1"},
    {"string_too_long", [](auto& b) { b.keys[0].payload = Raw<std::uint64_t>(1 << 20); },
     "ends past the file"},
    {"string_length_wraps", [](auto& b) { b.keys[0].payload = Raw<std::uint64_t>(UINT64_MAX - 4); },
     "ends past the file"},
    {"array_of_unknown", [](auto& b) { b.keys[1].payload = Array(GgufType(99), 1, "x"); },
     "unknown element type 99"},
    {"array_of_arrays",
     [](auto& b) { b.keys[1].payload = Array(GgufType::kArray, 1, Array(GgufType::kU8, 1, "x")); },
     "array of arrays"},
    {"array_too_long", [](auto& b) { b.keys[1].payload = Array(GgufType::kU64, 1 << 20, "x"); },
     "announces 1048576 elements"},
    {"array_count_wraps",
     [](auto& b) { b.keys[1].payload = Array(GgufType::kF64, UINT64_C(1) << 61, ""); },
     "elements, more than the file holds"},
    {"string_of_array_too_long",
     [](auto& b) {
       b.keys[1].payload = Array(GgufType::kString, 2, Text("a") + Raw<std::uint64_t>(9999));
     },
     "string 1 ends past the file"},
    {"array_bool_of_2",
     [](auto& b) { b.keys[2].payload = Array(GgufType::kBool, 2, std::string("\2\0", 2)); },
     "neither 0 nor 1"},
    {"alignment_3",
     [](auto& b) { b.Add("general.alignment", GgufType::kU32, Raw<std::uint32_t>(3)); },
     "general.alignment"},
    {"alignment_0",
     [](auto& b) { b.Add("general.alignment", GgufType::kU32, Raw<std::uint32_t>(0)); },
     "general.alignment"},
    {"alignment_huge",
     [](auto& b) { b.Add("general.alignment", GgufType::kU32, Raw<std::uint32_t>(1u << 31)); },
     "general.alignment"},
    {"alignment_text", [](auto& b) { b.Add("general.alignment", GgufType::kString, Text("32")); },
     "general.alignment"},
    {"tensor_unnamed", [](auto& b) { b.tensors[0].name = ""; }, "is empty"},
    {"tensor_not_utf8", [](auto& b) { b.tensors[0].name = "\xC3\x28"; }, "not UTF-8"},
    {"tensor_name_long", [](auto& b) { b.tensors[0].name = std::string(2000, 'n'); },
     "longer than 1024 bytes"},
    {"tensor_twice", [](auto& b) { b.tensors[1].name = "first"; }, "appears twice"},
    {"five_dimensions",
     [](auto& b) {
       b.tensors[0].extents = {1, 1, 1, 1, 1};
     },
     "5 dimensions"},
    {"negative_extent",
     [](auto& b) {
       b.tensors[0].extents = {UINT64_MAX, 2};
     },
     "extent -1"},
    {"zero_extent",
     [](auto& b) {
       b.tensors[0].extents = {4, 0};
     },
     "extent 0"},
    {"elements_overflow",
     [](auto& b) {
       b.tensors[0].extents = {UINT64_C(1) << 40, UINT64_C(1) << 40};
     },
     "more than 2^63 elements"},
    {"bytes_overflow", [](auto& b) { b.tensors[0].extents = {UINT64_C(1) << 62}; },
     "ends past the file"},
    {"unknown_dtype", [](auto& b) { b.tensors[0].type = 4242; }, "type 4242"},
    {"unsupported_dtype", [](auto& b) { b.tensors[0].type = 20; }, "IQ4_NL"},
    {"part_of_a_block", [](auto& b) { b.tensors[0].type = 8; }, "not whole blocks of Q8_0"},
    {"offset_unaligned", [](auto& b) { b.tensors[1].offset = 33; }, "not a multiple of 32"},
    {"offset_past_end", [](auto& b) { b.tensors[1].offset = 96; }, "ends past the file"},
    {"offset_wraps", [](auto& b) { b.tensors[1].offset = UINT64_MAX - 31; }, "ends past the file"},
    {"overlap", [](auto& b) { b.tensors[1].offset = 0; }, "overlap"},
    {"overlap_in_part",
     [](auto& b) {
       b.tensors[0].extents = {9};
       b.data += std::string(64, 'x');
     },
     "overlap"},
    {"data_cut", [](auto& b) { b.data.resize(63); }, "ends past the file of"},
    {"no_data", [](auto& b) { b.data.clear(); }, "ends past the file of"},
};

class BadGgufTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadGgufTest, GivesOneClearLine) {
  GgufBuilder builder = Good();
  GetParam().spoil(builder);
  const auto file = Parse(builder.Build());
  ASSERT_FALSE(file);
  ExpectClear(file.error(), kPath);
  EXPECT_THAT(file.error().Message(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(Table, BadGgufTest, ::testing::ValuesIn(kBadFiles),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(GgufTest, EveryTruncationIsRefused) {
  const std::string bytes = Good().Build();
  ASSERT_TRUE(Parse(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that the address sanitizer sees a read past the end.
    const std::vector<std::byte> cut(reinterpret_cast<const std::byte*>(bytes.data()),
                                     reinterpret_cast<const std::byte*>(bytes.data() + size));
    const auto file = ParseGguf(cut, kPath);
    ASSERT_FALSE(file) << size;
    ExpectClear(file.error(), kPath);
  }
}

TEST(GgufTest, NoDamagedByteDoesHarm) {
  const std::string good = Good().Build();
  for (std::size_t i = 0; i < good.size() - 64; ++i) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ change);
      const auto file = Parse(bad);
      if (!file) {
        ExpectClear(file.error(), kPath);
        continue;
      }
      for (const auto& [key, value] : file->metadata) {
        const auto strings = value.Strings();
        EXPECT_TRUE(!strings || strings->size() == value.count);
      }
      for (const TensorView& tensor : file->tensors) EXPECT_LE(tensor.data.size(), 64u);
    }
  }
}

TEST(GgufTest, FileErrorsNameTheFile) {
  const TempFolder folder;
  const auto missing = ReadGguf(folder / "none.gguf");
  ASSERT_FALSE(missing);
  ExpectClear(missing.error(), "none.gguf");
  const auto empty = ReadGguf(folder.Write("empty.gguf", ""));
  ASSERT_FALSE(empty);
  ExpectClear(empty.error(), "empty.gguf");
  const auto directory = ReadGguf(folder.path());
  ASSERT_FALSE(directory);
  ExpectClear(directory.error(), folder.path());
}

TEST(GgufTest, MappingOutlivesMoves) {
  auto file = ReadGguf(GoldenPath("all.gguf"));
  ASSERT_TRUE(file);
  const GgufFile moved = std::move(*file);
  testing::ExpectTensors(moved.tensors, "all.gguf");
}

}  // namespace
}  // namespace ergo::formats
