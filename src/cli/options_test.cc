#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ergo::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Values {
  bool flag = false;
  std::string text;
  std::vector<std::string> texts;
  std::string choice;
  std::optional<std::int64_t> whole;
  std::optional<double> real;
  std::vector<std::int64_t> list;
  std::vector<std::string> arguments;
};

void Declare(Options& options, Values* values) {
  options.Flag("--raw", &values->flag, "a flag");
  options.Text("-m,--model", &values->text, "MODEL", "a text");
  options.Texts("--stop", &values->texts, "TEXT", "texts");
  options.Choice("--policy", &values->choice, "stop|drop", "a choice");
  options.Number("-n,--max-tokens", &values->whole, "N", "a whole number", {1, 1000});
  options.Number("--temp", &values->real, "T", "a number", {0, 100});
  options.Numbers("-p", &values->list, "N", "numbers", {0, 1e6});
  options.Arguments(&values->arguments, 0, 2);
}

std::string ErrorOf(const std::vector<std::string>& words) {
  Options options;
  Values values;
  Declare(options, &values);
  const auto parsed = options.Parse(words);
  return parsed ? "none" : parsed.error().Message();
}

TEST(Options, ReadsEveryKind) {
  Options options;
  Values values;
  Declare(options, &values);
  const auto parsed =
      options.Parse({"--raw", "-m", "a.gguf", "--stop", "x", "--stop", "y", "--policy=drop", "-n",
                     "12", "--temp=0.5", "-p", "1,2", "-p", "3", "two", "words"});
  ASSERT_TRUE(parsed) << parsed.error().Message();
  EXPECT_EQ(*parsed, Options::Outcome::kRun);
  EXPECT_TRUE(values.flag);
  EXPECT_EQ(values.text, "a.gguf");
  EXPECT_THAT(values.texts, ElementsAre("x", "y"));
  EXPECT_EQ(values.choice, "drop");
  EXPECT_EQ(values.whole, 12);
  EXPECT_EQ(values.real, 0.5);
  EXPECT_THAT(values.list, ElementsAre(1, 2, 3));
  EXPECT_THAT(values.arguments, ElementsAre("two", "words"));
}

TEST(Options, LeavesUnsetWhatIsNotGiven) {
  Options options;
  Values values;
  Declare(options, &values);
  ASSERT_TRUE(options.Parse({}));
  EXPECT_FALSE(values.whole);
  EXPECT_FALSE(values.real);
  EXPECT_TRUE(values.arguments.empty());
}

TEST(Options, WordsAfterTwoDashesAreArguments) {
  Options options;
  Values values;
  Declare(options, &values);
  ASSERT_TRUE(options.Parse({"--", "--raw"}));
  EXPECT_FALSE(values.flag);
  EXPECT_THAT(values.arguments, ElementsAre("--raw"));
}

TEST(Options, ErrorsNameTheWordAndTheRemedy) {
  EXPECT_EQ(ErrorOf({"--tmep", "1"}), "there is no option --tmep (did you mean --temp?)");
  EXPECT_EQ(ErrorOf({"--max-token=3"}),
            "there is no option --max-token (did you mean --max-tokens?)");
  EXPECT_EQ(ErrorOf({"-n", "0"}), "--max-tokens: '0' is not a whole number from 1 to 1000");
  EXPECT_EQ(ErrorOf({"-n", "12x"}), "--max-tokens: '12x' is not a whole number from 1 to 1000");
  EXPECT_EQ(ErrorOf({"--temp", "nan"}), "--temp: 'nan' is not a number from 0 to 100");
  EXPECT_EQ(ErrorOf({"--policy", "keep"}), "--policy: 'keep' is not one of stop|drop");
  EXPECT_EQ(ErrorOf({"-p", "1,,2"}), "-p: '1,,2' is not a whole number from 0 to 1000000");
  EXPECT_EQ(ErrorOf({"a", "b", "c"}), "'c' is one argument too many");
  EXPECT_EQ(ErrorOf({"-m"}), "--model needs a value");
  EXPECT_EQ(ErrorOf({"--zzzzzzzz"}),
            "there is no option --zzzzzzzz (put -- before a text that begins with a dash)");
}

TEST(Options, FurtherOptionsAreNamedInShortHelpAndExplainedInLong) {
  Options options;
  Values values;
  options.Further();
  Declare(options, &values);
  EXPECT_THAT(options.Help(), HasSubstr("Further: --raw, -m, --model, --stop,"));
  EXPECT_THAT(options.Help(), ::testing::Not(HasSubstr("a whole number")));
  EXPECT_THAT(options.Help(true), HasSubstr("--max-tokens N"));
  EXPECT_THAT(options.Help(true), HasSubstr("a whole number"));
  EXPECT_EQ(*options.Parse({"--help-all"}), Options::Outcome::kHelpAll);
}

TEST(Options, HelpFitsTheWidth) {
  Options options;
  Values values;
  Declare(options, &values);
  options.Note("A note.");
  const std::string help = options.Help();
  EXPECT_THAT(help, HasSubstr("-n, --max-tokens N"));
  EXPECT_THAT(help, HasSubstr("--policy stop|drop"));
  EXPECT_THAT(help, HasSubstr("\nA note.\n"));
  ASSERT_TRUE(options.Parse({"--help"}));
  EXPECT_EQ(*options.Parse({"--help"}), Options::Outcome::kHelp);
}

TEST(Options, BytesHaveUnits) {
  std::optional<std::uint64_t> bytes;
  Options options;
  options.Bytes("--kv-memory", &bytes, "for keys and values");
  ASSERT_TRUE(options.Parse({"--kv-memory", "3M"}));
  EXPECT_EQ(bytes, 3u << 20);
  ASSERT_TRUE(options.Parse({"--kv-memory", "4096"}));
  EXPECT_EQ(bytes, 4096u);
  for (const char* wrong : {"", "M", "-1", "0", "1.5G", "2GB", "99999999T", "x"}) {
    EXPECT_FALSE(options.Parse({"--kv-memory", wrong})) << wrong;
  }
}

}  // namespace
}  // namespace ergo::cli
