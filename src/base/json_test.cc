#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ergo {
namespace {

using ::testing::HasSubstr;

/// The error of a text that must be refused, checked to be one line that names its place.
std::string ErrorOf(std::string_view text, const JsonLimits& limits = {}) {
  const auto json = ParseJson(text, "x.json", limits);
  const auto ordered = ParseOrderedJson(text, "x.json", limits);
  EXPECT_FALSE(json) << text;
  EXPECT_FALSE(ordered) << text;
  if (json || ordered) return "parsed";
  EXPECT_EQ(json.error().Message(), ordered.error().Message());
  EXPECT_EQ(json.error().where, "x.json");
  EXPECT_EQ(json.error().Message().find('\n'), std::string::npos);
  return json.error().Message();
}

std::string Nested(std::size_t depth, char open, char close) {
  return std::string(depth, open) + std::string(depth, close);
}

TEST(JsonTest, ReadsEveryKindOfValue) {
  const auto json = ParseJson(
      R"( {"n":null,"t":true,"i":-5,"u":18446744073709551615,"f":1.5e3,"s":"a\u00fc\ud83d\ude00\n",
           "a":[1,[2,{}]],"o":{"":0}} )",
      "x");
  ASSERT_TRUE(json) << json.error().Message();
  EXPECT_TRUE(json->at("n").is_null());
  EXPECT_EQ(json->at("t"), true);
  EXPECT_EQ(json->at("i"), -5);
  EXPECT_EQ(json->at("u").get<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(json->at("f"), 1500.0);
  EXPECT_EQ(json->at("s"), "aü😀\n");
  EXPECT_EQ(json->at("a").dump(), "[1,[2,{}]]");
  EXPECT_EQ(json->at("o").at(""), 0);
}

TEST(JsonTest, ScalarsAreDocumentsToo) {
  EXPECT_EQ(ParseJson("1", "x").value(), 1);
  EXPECT_EQ(ParseJson("\"a\"", "x").value(), "a");
  EXPECT_TRUE(ParseJson("null", "x")->is_null());
}

TEST(JsonTest, OrderedKeepsTheOrderOfTheText) {
  const auto json = ParseOrderedJson(R"({"z":1,"a":{"y":2,"b":3}})", "x");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->dump(), R"({"z":1,"a":{"y":2,"b":3}})");
  EXPECT_EQ(ParseJson(R"({"z":1,"a":2})", "x")->dump(), R"({"a":2,"z":1})");
}

TEST(JsonTest, BadSyntax) {
  for (const char* text : {"",      " ",    "{",     "[1,]", "{\"a\":}", "{a:1}",       "[1 2]",
                           "01",    "+1",   "nul",   "\"",   "\"\\x\"",  "\"\\ud800\"", "\"a\nb\"",
                           "{} {}", "[1]x", "1e999", "NaN",  "// c\n1",  "'a'"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("not valid JSON")) << text;
  }
  EXPECT_THAT(ErrorOf("[1, oops]"), HasSubstr("at byte 5"));
}

TEST(JsonTest, NothingIsIgnoredAfterANul) {
  EXPECT_THAT(ErrorOf(std::string_view("{}\0garbage", 10)), HasSubstr("NUL character at byte 2"));
}

TEST(JsonTest, InvalidUtf8) {
  EXPECT_THAT(ErrorOf("{\"a\":\"\xFF\"}"), HasSubstr("not UTF-8 at byte 6"));
  EXPECT_THAT(ErrorOf("\"\xED\xA0\x80\""), HasSubstr("not UTF-8"));
}

TEST(JsonTest, DepthIsLimited) {
  EXPECT_TRUE(ParseJson(Nested(128, '[', ']'), "x"));
  EXPECT_THAT(ErrorOf(Nested(129, '[', ']')), HasSubstr("nested deeper than 128"));
  EXPECT_THAT(ErrorOf(std::string(1 << 20, '[')), HasSubstr("nested deeper"));
  std::string objects;
  for (int i = 0; i < 200; ++i) objects += "{\"a\":";
  EXPECT_THAT(ErrorOf(objects), HasSubstr("nested deeper"));
  JsonLimits flat;
  flat.max_depth = 1;
  EXPECT_TRUE(ParseJson("[1]", "x", flat));
  EXPECT_THAT(ErrorOf("[[1]]", flat), HasSubstr("nested deeper than 1"));
}

TEST(JsonTest, DuplicateKeysAreRefusedPerObject) {
  EXPECT_THAT(ErrorOf(R"({"a":1,"b":2,"a":3})"), HasSubstr("duplicate key \"a\""));
  EXPECT_THAT(ErrorOf("{\"a\":1,\"\\u0061\":2}"), HasSubstr("duplicate key"));
  EXPECT_THAT(ErrorOf("{\"a\\n\":1,\"a\\n\":2}"), HasSubstr("\"a\\x0a\""));
  EXPECT_TRUE(ParseJson(R"([{"a":1},{"a":{"a":2}}])", "x"));
}

TEST(JsonTest, SizesAreLimited) {
  JsonLimits limits;
  limits.max_bytes = 4;
  EXPECT_TRUE(ParseJson("[12]", "x", limits));
  EXPECT_THAT(ErrorOf("[123]", limits), HasSubstr("over the limit of 4"));
  limits = {};
  limits.max_ordered_members = 2;
  EXPECT_TRUE(ParseOrderedJson(R"({"a":1,"b":2})", "x", limits));
  EXPECT_FALSE(ParseOrderedJson(R"({"a":1,"b":2,"c":3})", "x", limits));
  EXPECT_TRUE(ParseJson(R"({"a":1,"b":2,"c":3})", "x", limits));
}

}  // namespace
}  // namespace ergo
