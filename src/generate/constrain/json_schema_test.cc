#include "generate/constrain/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "generate/constrain/testing/small_table.h"

namespace ergo::generate::constrain {
namespace {

using ::testing::HasSubstr;
using testing::Matches;
using testing::SmallTable;

OrderedJson Cases() {
  std::ifstream file(std::string(ERGO_SOURCE_DIR) + "/tests/golden/constrain/json_schema.json");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto cases = ParseOrderedJson(text, "json_schema.json");
  EXPECT_TRUE(cases) << cases.error().Message();
  return *cases;
}

/// "{"a": [1, 2]}": what most programs write on one line.
std::string OneLine(const OrderedJson& value) {
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += OrderedJson(item.key()).dump() + ": ";
    text += OneLine(*item);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

TEST(JsonSchema, AcceptsValidInstancesAndNoOthers) {
  for (const OrderedJson& one : Cases()) {
    const OrderedJson& schema = one["schema"];
    const auto flexible = CompileParsedJsonSchema(schema);
    ASSERT_TRUE(flexible) << schema << flexible.error().Message();
    const auto compact = CompileParsedJsonSchema(schema, {.spacing = JsonSpacing::kCompact});
    const auto one_line = CompileParsedJsonSchema(schema, {.spacing = JsonSpacing::kOneLine});
    for (const OrderedJson& value : one["valid"]) {
      const bool decimal = !value.is_number_float() || value.dump().find('e') == std::string::npos;
      EXPECT_TRUE(Matches(*flexible, value.dump()) || !decimal) << schema << value;
      EXPECT_TRUE(Matches(*flexible, value.dump(2))) << schema << value;
      EXPECT_TRUE(Matches(*flexible, OneLine(value))) << schema << value;
      EXPECT_TRUE(Matches(*one_line, OneLine(value))) << schema << value;
      EXPECT_TRUE(Matches(*compact, value.dump())) << schema << value;
    }
    for (const OrderedJson& value : one["invalid"]) {
      EXPECT_FALSE(Matches(*flexible, value.dump())) << schema << value;
      EXPECT_FALSE(Matches(*flexible, OneLine(value))) << schema << value;
      EXPECT_FALSE(Matches(*compact, value.dump())) << schema << value;
    }
  }
}

/// Texts drawn at random under the mask are JSON, whatever the schema.
TEST(JsonSchema, RandomTextsParse) {
  std::mt19937 random(3);
  std::vector<float> logits(SmallTable()->size());
  int complete = 0;
  for (const OrderedJson& one : Cases()) {
    const auto grammar = CompileParsedJsonSchema(one["schema"]);
    ASSERT_TRUE(grammar);
    const auto constraint = Constraint::Create(*grammar, SmallTable());
    ASSERT_TRUE(constraint);
    const auto hook = (*constraint)->Start();
    std::string text;
    bool over = false;
    for (int step = 0; step < 300 && !over; ++step) {
      for (const TokenId token : hook->Forced()) {
        text += SmallTable()->bytes(token);
        over = !hook->Accept(token);
      }
      if (over) break;
      std::fill(logits.begin(), logits.end(), 0.0F);
      hook->Mask(logits);
      // Closing brackets and quotes are dear to it, so that texts come to an end.
      std::vector<TokenId> allowed;
      std::vector<TokenId> closing;
      for (std::size_t i = 0; i < logits.size(); ++i) {
        if (logits[i] != 0.0F) continue;
        const auto id = static_cast<TokenId>(i);
        allowed.push_back(id);
        const std::string_view bytes = SmallTable()->bytes(id);
        if (bytes.empty() || bytes == "\"" || bytes == "}" || bytes == "]") closing.push_back(id);
      }
      ASSERT_FALSE(allowed.empty()) << one["schema"] << text;
      const auto& from = closing.empty() || random() % 3 == 0 ? allowed : closing;
      const TokenId token = from[random() % from.size()];
      text += SmallTable()->bytes(token);
      over = !hook->Accept(token);
    }
    if (!over) continue;
    ++complete;
    EXPECT_TRUE(Matches(*grammar, text)) << text;
    // Numbers of any size are JSON, though not all parsers take them.
    const bool huge = text.find_first_of("eE0123456789") != std::string::npos;
    EXPECT_TRUE(huge || OrderedJson::accept(text)) << one["schema"] << text;
  }
  EXPECT_GT(complete, 20);
}

TEST(JsonSchema, RefusesWhatItCannotDoAndNamesThePlace) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"properties": {"a": {"not": {}}}})", "#/properties/a/not"},
      {R"({"type": "array", "uniqueItems": true})", "#/uniqueItems"},
      {R"({"if": true, "then": false})", "#/if"},
      {R"({"frobnicate": 1})", "#/frobnicate"},
      {R"({"type": "text"})", "is no type"},
      {R"({"type": "string", "format": "regex"})", "#/format"},
      {R"x({"type": "string", "pattern": "a(?=b)"})x", "#/pattern, byte 2"},
      {R"({"$ref": "#/$defs/none"})", "#/$ref"},
      {R"({"$ref": "other.json"})", "#/$ref"},
      {R"({"$ref": "#"})", "no end"},
      {R"({"anyOf": [{"$ref": "#"}, {"type": "null"}]})", "begins with itself"},
      {R"({"allOf": [{"$ref": "#"}], "type": "object"})", "circle"},
      {R"({"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "minLength": 3})", "circle"},
      {R"({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]})", "no text"},
      {R"({"enum": []})", "no text"},
      {"false", "no text"},
      {R"({"properties": {"x": {"enum": [1], "type": "string"}}, "required": ["x"], "type": "object"})",
       "#/properties/x"},
      {R"({"type": "integer", "minimum": 5, "maximum": 4})", "no text"},
      {R"({"type": "string", "minLength": 5, "maxLength": 4})", "minLength"},
      {R"({"type": "array", "minItems": 5, "maxItems": 4})", "minItems"},
      {R"({"type": "object", "required": ["a"], "additionalProperties": false})", "required"},
      {R"({"type": "string", "minLength": "x"})", "#/minLength"},
      {R"({"type": "integer", "multipleOf": 123457})", "multipleOf"},
      {R"({"type": "number", "minimum": 1e300})", "digits"},
      {R"({"properties": []})", "#/properties"},
      {R"({"required": "a"})", "#/required"},
      {R"({"items": 3, "type": "array"})", "#/items"},
      {R"([1])", "a schema must be"},
      {R"({"type": "string", "pattern": "^(a|b)*a(a|b){12}$", "maxLength": 40000})", "states"},
      {"{\"type\": \"string\", \"pattern\": \"\xFF\"}", "UTF-8"},
      {"{", "schema"},
  };
  for (const auto& [schema, message] : cases) {
    const auto grammar = CompileJsonSchema(std::string_view(schema));
    ASSERT_FALSE(grammar) << schema;
    EXPECT_THAT(grammar.error().Message(), HasSubstr(message)) << schema;
  }
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += R"({"items":)";
  EXPECT_FALSE(CompileJsonSchema(std::string_view(deep)));
}

TEST(JsonSchema, SpellsStringsInEveryWayThatJsonHas) {
  const auto grammar = CompileJsonSchema(std::string_view(R"({"type": "string", "maxLength": 2})"));
  ASSERT_TRUE(grammar);
  for (const char* text :
       {R"("\u00e9\/")", R"("\uD83D\uDE00x")", R"("\ud83d\ude00\uFFFF")", "\"😀é\""}) {
    EXPECT_TRUE(Matches(*grammar, text)) << text;
  }
  for (const char* text : {R"("\uD83D")", R"("\uDE00")", R"("\uD83Dx")", "\"\n\"", R"("\x")",
                           "\"\xFF\"", "\"\xED\xA0\x80\"", R"("abc")", " \"a\"", "\"a\" "}) {
    EXPECT_FALSE(Matches(*grammar, text)) << text;
  }
}

TEST(JsonSchema, ClosedObjectsHaveNothingUnlisted) {
  const JsonSchemaOptions closed{.closed_objects = true};
  const auto grammar = CompileJsonSchema(
      std::string_view(R"({"type": "object", "properties": {"a": {"type": "null"}}})"), closed);
  ASSERT_TRUE(grammar);
  EXPECT_TRUE(Matches(*grammar, R"({"a": null})"));
  EXPECT_FALSE(Matches(*grammar, R"({"b": null})"));
  const auto any = CompileAnyJsonObject();
  ASSERT_TRUE(any);
  EXPECT_TRUE(Matches(*any, R"({"b": [{"c": 1e5}]})"));
  EXPECT_FALSE(Matches(*any, "[]"));
}

}  // namespace
}  // namespace ergo::generate::constrain
