#include "cli/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "cli/command.h"
#include "cli/testing/command_line.h"
#include "generate/testing/tiny_model.h"

namespace ergo::cli {
namespace {

using ::testing::AllOf;
using testing::ErrorLine;
using testing::Execute;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ran;
using ::testing::StartsWith;

// What is seen of a screen of 24 lines once the shell has printed its prompt again.
constexpr int kLines = 23;
constexpr std::size_t kColumns = 100;

/// Characters, not bytes: help has "…" in it.
std::size_t Columns(const std::string& line) {
  std::size_t count = 0;
  for (const char byte : line) count += (byte & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

void ExpectToFitAScreen(const std::string& name, const std::string& help) {
  std::istringstream lines(help);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(Columns(line), kColumns) << name << ": " << line;
  }
  EXPECT_LE(count, kLines) << name << '\n' << help;
}

TEST(Main, WrongCommandLinesAreUsageErrorsWithARemedy) {
  const Ran none = Execute({});
  EXPECT_EQ(none.status, kUsage);
  EXPECT_THAT(none.err, HasSubstr("Usage: ergo"));
  const Ran command = Execute({"shwo"});
  EXPECT_EQ(command.status, kUsage);
  EXPECT_THAT(command.err, HasSubstr("did you mean 'show'?"));
  const Ran option = Execute({"run", "--tmep", "1", "question"});
  EXPECT_EQ(option.status, kUsage);
  EXPECT_EQ(option.out, "");
  EXPECT_THAT(option.err, HasSubstr("did you mean --temp?"));
  EXPECT_THAT(option.err, HasSubstr("See `ergo run --help`."));
}

TEST(Main, ValuesAreChecked) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"bench", "-p", "many"},
                                                                 {"run", "-n", "0", "x"},
                                                                 {"run", "--temp", "-1", "x"},
                                                                 {"run", "--top-p", "1.5", "x"},
                                                                 {"run", "x", "-m"},
                                                                 {"chat", "--context-policy", "x"},
                                                                 {"show", "a", "b"},
                                                                 {"list", "a"}}) {
    const Ran ran = Execute(words);
    EXPECT_EQ(ran.status, kUsage) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, StartsWith("error: "));
  }
}

TEST(Main, HelpGoesToStdoutAndFitsAScreen) {
  const Ran overview = Execute({"--help"});
  EXPECT_EQ(overview.status, kOk);
  ExpectToFitAScreen("ergo", overview.out);
  for (const Command* command : Commands()) {
    const std::string name(command->name);
    EXPECT_THAT(overview.out, HasSubstr("\n  " + name + " "));
    const Ran help = Execute({name, "--help"});
    EXPECT_EQ(help.status, kOk) << name;
    EXPECT_EQ(help.err, "") << name;
    EXPECT_THAT(help.out, HasSubstr("Usage: ergo " + name));
    ExpectToFitAScreen(name, help.out);
  }
}

TEST(Main, TellsItsVersion) {
  const Ran ran = Execute({"--version"});
  EXPECT_EQ(ran.status, kOk);
  EXPECT_THAT(ran.out, ::testing::MatchesRegex("ergo [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Main, CommandsAreSorted) {
  for (std::size_t i = 1; i < Commands().size(); ++i) {
    EXPECT_LT(Commands()[i - 1]->name, Commands()[i]->name);
  }
}

TEST(Main, NothingIsColouredOutsideATerminal) {
  EXPECT_THAT(Execute({"shwo"}).err, Not(HasSubstr("\033")));
  EXPECT_THAT(Execute({"--help"}).out, Not(HasSubstr("\033")));
}

TEST(Main, AnErrorIsOneLineWhateverItNames) {
  EXPECT_THAT(ErrorLine({"rm", "two\nlines\033[31m"}), HasSubstr("two\\nlines\\x1b[31m"));
}

TEST(Main, BrokenModelsAreRefusedNamingFileAndRemedy) {
  EXPECT_THAT(ErrorLine({"show", "/no/such/model.gguf"}),
              AllOf(HasSubstr("/no/such/model.gguf"), HasSubstr("(check the path)")));

  const generate::testing::TinyFolder folder;
  const std::string weights = folder.path() + "/model.safetensors";
  const auto size = std::filesystem::file_size(weights);
  for (const std::uintmax_t kept : {size - 1, size / 2, std::uintmax_t{9}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(weights, kept);
    EXPECT_THAT(ErrorLine({"run", "-m", folder.path(), "question"}),
                AllOf(StartsWith(weights + ": "), HasSubstr(" again)")))
        << kept;
  }
  folder.Write("config.json", "{\"hidden_size\": ");
  EXPECT_THAT(ErrorLine({"show", folder.path()}),
              AllOf(StartsWith(folder.path() + "/config.json: "), HasSubstr("at byte")));
  folder.Write("model.gguf", "GGUF and nothing more");
  EXPECT_THAT(ErrorLine({"run", "-m", folder.path() + "/model.gguf", "question"}),
              AllOf(StartsWith(folder.path() + "/model.gguf: "), HasSubstr("(")));
}

TEST(Main, ADamagedTokenizerIsNamed) {
  const generate::testing::TinyFolder folder;
  Json tokenizer = generate::testing::TinyFolder::ByteTokenizer();
  tokenizer["model"]["type"] = "Magic";
  folder.WriteTokenizer(tokenizer);
  EXPECT_THAT(ErrorLine({"run", "-m", folder.path(), "question"}),
              AllOf(HasSubstr("tokenizer.json"), HasSubstr("Magic")));
  folder.Remove("tokenizer.json");
  EXPECT_THAT(ErrorLine({"run", "-m", folder.path(), "question"}),
              AllOf(HasSubstr(folder.path()), HasSubstr("there is no tokenizer.json (")));
}

TEST(Completion, NamesCommandsAndOptions) {
  const Ran ran = Execute({"completion", "bash"});
  EXPECT_EQ(ran.status, kOk);
  EXPECT_THAT(ran.out, HasSubstr("complete -o default -F _ergo ergo"));
  EXPECT_THAT(ran.out, HasSubstr("perplexity"));
  EXPECT_THAT(ran.out, HasSubstr("--max-tokens"));
  EXPECT_THAT(ErrorLine({"completion", "fish"}), HasSubstr("ergo completion bash"));
}

}  // namespace
}  // namespace ergo::cli
