// `ergo tokenize` and `ergo template`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "cli/testing/command_line.h"
#include "generate/testing/tiny_model.h"

namespace ergo::cli {
namespace {

using generate::testing::TinyFolder;
using ::testing::AllOf;
using testing::ErrorLine;
using testing::Execute;
using ::testing::HasSubstr;
using testing::Ran;
using ::testing::StartsWith;

class TextCommandsTest : public ::testing::Test {
 protected:
  std::string Tokenize(const std::vector<std::string>& options, const std::string& text) const {
    std::vector<std::string> words = {"tokenize", "-m", folder_.path()};
    words.insert(words.end(), options.begin(), options.end());
    const Ran ran = Execute(words, text);
    EXPECT_EQ(ran.status, kOk) << ran.err;
    EXPECT_EQ(ran.err, "");
    return ran.out;
  }

  TinyFolder folder_;
};

TEST_F(TextCommandsTest, TokenizePrintsIdsOrPieces) {
  // 5 is the newline, 6 is the space; 'a' is 0x61.
  EXPECT_EQ(Tokenize({}, "a\n"), "[1,71,5]\n");
  EXPECT_EQ(Tokenize({"--no-bos"}, "a "), "[71,6]\n");
  EXPECT_EQ(Tokenize({}, ""), "[1]\n");
  EXPECT_EQ(Tokenize({"--no-bos"}, ""), "[]\n");
  EXPECT_EQ(Tokenize({"--no-bos"}, "<|im_end|>"), "[4]\n");
  EXPECT_EQ(Tokenize({"--no-bos", "--text"}, "<|im_end|>a"), "[\"<|im_end|>\",\"a\"]\n");
  const auto plain = ParseJson(Tokenize({"--no-bos", "--no-parse-special"}, "<|im_end|>"), "ids");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->size(), 10u);
}

TEST_F(TextCommandsTest, DecodeGoesBack) {
  for (const std::string text : {"plain text", "two\nlines\n", "é – 中文", "<|im_end|>", ""}) {
    EXPECT_EQ(Tokenize({"--decode"}, Tokenize({"--no-bos"}, text)), text);
  }
  EXPECT_EQ(Tokenize({"--decode"}, "[1, 71]"), "<s>a");
  EXPECT_EQ(Tokenize({"--decode", "--skip-special"}, "[1, 71]"), "a");
}

TEST_F(TextCommandsTest, DecodeRefusesWhatAreNoIds) {
  const auto error = [this](const std::string& input) {
    return ErrorLine({"tokenize", "-m", folder_.path(), "--decode"}, input);
  };
  EXPECT_THAT(error("[1, 211]"), AllOf(StartsWith("standard input: "), HasSubstr("211")));
  EXPECT_THAT(error("[-1]"), HasSubstr("-1"));
  EXPECT_THAT(error("[1.5]"), HasSubstr("not a JSON array of token ids"));
  EXPECT_THAT(error("[18446744073709551615]"), HasSubstr("not"));
  EXPECT_THAT(error("{}"), HasSubstr("not a JSON array of token ids"));
  EXPECT_THAT(error("[1,"), AllOf(StartsWith("standard input: "), HasSubstr("ergo tokenize")));
  EXPECT_THAT(error(std::string(100000, '[')), HasSubstr("standard input"));
}

TEST_F(TextCommandsTest, TemplateRendersTheModels) {
  const Ran ran = Execute(
      {"template", "-m", folder_.path()},
      R"({"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true})");
  EXPECT_EQ(ran.status, kOk) << ran.err;
  EXPECT_EQ(ran.out, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST_F(TextCommandsTest, EveryKeyIsAVariable) {
  folder_.Write("own.jinja",
                "{{ bos_token }}{{ wish }}{% for t in tools %}|{{ t.name }}{% endfor %}");
  const Ran ran = Execute({"template", "--file", folder_.path() + "/own.jinja"},
                          R"({"bos_token": "<b>", "wish": 3, "tools": [{"name": "x"}]})");
  EXPECT_EQ(ran.status, kOk) << ran.err;
  EXPECT_EQ(ran.out, "<b>3|x");
}

TEST_F(TextCommandsTest, TheModelSuppliesItsSpecialTokens) {
  folder_.Write("chat_template.jinja", "{{ bos_token }}.{{ eos_token }}");
  const auto rendered = [this](const std::string& variables) {
    return Execute({"template", "-m", folder_.path()}, variables).out;
  };
  EXPECT_EQ(rendered("{}"), "<s>.</s>");
  EXPECT_EQ(rendered(R"({"bos_token": "mine"})"), "mine.</s>");
}

TEST_F(TextCommandsTest, TemplateErrorsNameTheirPlace) {
  const std::string file = folder_.path() + "/own.jinja";
  const auto error = [&](const std::string& text, const std::string& variables = "{}") {
    folder_.Write("own.jinja", text);
    return ErrorLine({"template", "--file", file}, variables);
  };
  EXPECT_THAT(error("one\n{% if %}"), StartsWith(file + ", line 2: "));
  EXPECT_THAT(error("{{ raise_exception('two\nlines') }}"), HasSubstr("two"));
  EXPECT_THAT(error("x", "[]"), AllOf(StartsWith("standard input: "), HasSubstr("messages")));
  EXPECT_THAT(error("x", "{\"a\": "), AllOf(StartsWith("standard input: "), HasSubstr("messages")));
  EXPECT_THAT(ErrorLine({"template", "--file", folder_.path() + "/none.jinja"}, "{}"),
              HasSubstr("/none.jinja: "));
  folder_.Remove("chat_template.jinja");
  EXPECT_THAT(ErrorLine({"template", "-m", folder_.path()}, "{}"), HasSubstr("--file"));
}

}  // namespace
}  // namespace ergo::cli
