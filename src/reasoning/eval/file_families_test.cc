#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "reasoning/eval/family.h"

namespace ergo::reasoning::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<std::vector<Item>> LoadFrom(const std::string& written, Selection selection) {
  const Result<FamilyChoice> choice = ParseFamily(written);
  if (!choice) return tl::unexpected(choice.error());
  selection.options = choice->options;
  return choice->family->load(selection);
}

std::string Golden(const std::string& name) {
  return std::string(ERGO_SOURCE_DIR) + "/tests/golden/eval/" + name;
}

std::vector<Item> Read(const std::string& family, const std::string& name) {
  Selection selection;
  selection.file = Golden(name);
  selection.run_python = [](const std::string&) -> Result<ProgramRun> {
    return Fail("no sandbox");
  };
  auto items = LoadFrom(family, selection);
  EXPECT_TRUE(items) << items.error().Message();
  return items ? *items : std::vector<Item>();
}

Judgement Judged(const Item& item, const std::string& value) {
  Answer answer;
  answer.value = value;
  const auto judged = item.judge(answer);
  EXPECT_TRUE(judged);
  return judged.value_or(Judgement::kNone);
}

/// What a family says of a file that holds `text`.
std::string ErrorOf(const std::string& family, const std::string& text) {
  const std::string path = ::testing::TempDir() + "ergo_eval_questions.jsonl";
  std::ofstream(path) << text;
  Selection selection;
  selection.file = path;
  selection.run_python = [](const std::string&) -> Result<ProgramRun> {
    return Fail("no sandbox");
  };
  const auto items = LoadFrom(family, selection);
  std::filesystem::remove(path);
  if (items) return "read";
  std::string message = items.error().Message();
  const std::size_t at = message.find(path);
  return at == std::string::npos ? message : message.replace(at, path.size(), "FILE");
}

TEST(Families, AreSortedAndFoundByName) {
  std::string last;
  for (const Family& family : Families()) {
    EXPECT_LT(last, family.name);
    last = family.name;
    EXPECT_FALSE(family.summary.empty());
    EXPECT_EQ(ParseFamily(family.name)->family, &family);
  }
  EXPECT_EQ(ParseFamily("knights:3")->name, "knights-and-knaves:3");
  EXPECT_THAT(ParseFamily("chains:20:story")->options, ElementsAre("20", "story"));
  EXPECT_FALSE(ParseFamily("mat"));
  EXPECT_FALSE(ParseFamily(""));
  EXPECT_THAT(ParseFamily("gsm9k").error().Message(), HasSubstr("gsm8k"));
}

TEST(Gsm8k, IsRead) {
  const auto items = Read("gsm8k", "gsm8k.jsonl");
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].id, "gsm8k-1");
  EXPECT_THAT(items[0].question.text, HasSubstr("A baker fills 6 trays"));
  EXPECT_EQ(items[0].question.text.find("72"), std::string::npos);
  EXPECT_EQ(items[0].question.kind, AnswerKind::kNumber);
  EXPECT_EQ(items[0].expected, "22");
  EXPECT_EQ(Judged(items[0], "22.0"), Judgement::kRight);
  EXPECT_EQ(Judged(items[0], "23"), Judgement::kWrong);
  EXPECT_EQ(Judged(items[0], "twenty-two"), Judgement::kWrong);
  EXPECT_EQ(Judged(items[0], " "), Judgement::kNone);
  EXPECT_EQ(Judged(items[1], "10000"), Judgement::kRight);
  EXPECT_EQ(Judged(items[2], "$3.5"), Judgement::kRight);
  EXPECT_EQ(Judged(items[2], "7/2"), Judgement::kRight);
}

TEST(Math, IsReadInEachOfItsForms) {
  const auto items = Read("math", "math.jsonl");
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].expected, "\\frac{3}{4}");
  EXPECT_EQ(items[1].expected, "\\sqrt{7}");
  EXPECT_EQ(items[1].id, "own/algebra/2.json");
  EXPECT_EQ(items[2].id, "own-3");
  EXPECT_EQ(items[2].question.kind, AnswerKind::kMath);
  EXPECT_EQ(Judged(items[0], "\\dfrac{3}{4}"), Judgement::kRight);
  EXPECT_EQ(Judged(items[0], "\\frac{4}{3}"), Judgement::kWrong);
  EXPECT_EQ(Judged(items[2], "$42$."), Judgement::kRight);
  EXPECT_EQ(Judged(items[2], ""), Judgement::kNone);
}

TEST(ProntoQa, IsRead) {
  const auto items = Read("prontoqa", "prontoqa.jsonl");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_THAT(items[0].question.context, HasSubstr("Every blimpus is green."));
  EXPECT_THAT(items[0].question.options, ElementsAre("True", "False"));
  EXPECT_EQ(items[0].expected, "True");
  EXPECT_EQ(items[1].expected, "False");
  EXPECT_EQ(Judged(items[0], "true"), Judgement::kRight);
  EXPECT_EQ(Judged(items[0], "A"), Judgement::kRight);
  EXPECT_EQ(Judged(items[0], "(A)"), Judgement::kRight);
  EXPECT_EQ(Judged(items[0], "False"), Judgement::kWrong);
  EXPECT_EQ(Judged(items[0], "B"), Judgement::kWrong);
}

TEST(ProofWriter, IsReadFromAnArrayToo) {
  const auto items = Read("proofwriter", "proofwriter.json");
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[1].expected, "Unknown");
  EXPECT_EQ(items[1].id, "own-2");
  EXPECT_EQ(items[2].id, "own-2#3");  // ids are unique though those of the file are not
  EXPECT_EQ(Judged(items[1], "Unknown."), Judgement::kRight);
  EXPECT_EQ(Judged(items[1], "True"), Judgement::kWrong);
}

TEST(HumanEval, RunsTheTestsOfAnAnswer) {
  Selection selection;
  selection.file = Golden("humaneval.jsonl");
  std::string program;
  bool sandbox = true;
  selection.run_python = [&](const std::string& source) -> Result<ProgramRun> {
    program = source;
    if (!sandbox) return Fail("no namespaces here");
    // Stands in for the run: what the last line would print is printed unless the program exits.
    const std::size_t mark = source.rfind("print(\"");
    const bool ended = source.find("exit(0)") != std::string::npos;
    return ProgramRun{source.find("return 3") == std::string::npos,
                      ended ? "" : source.substr(mark + 7)};
  };
  const auto items = LoadFrom("humaneval", selection);
  ASSERT_TRUE(items) << items.error().Message();
  ASSERT_EQ(items->size(), 2u);
  const Item& first = items->front();
  EXPECT_EQ(first.id, "Own/0");
  EXPECT_EQ(first.question.kind, AnswerKind::kCode);
  EXPECT_EQ(first.question.text.find("candidate"), std::string::npos);  // tests stay hidden
  EXPECT_EQ(Judged(first, "    return 2 * number\n"), Judgement::kRight);
  EXPECT_THAT(program, HasSubstr("    \"\"\"\n    return 2 * number\n"));
  EXPECT_THAT(program, HasSubstr("check(double)\n"));
  EXPECT_EQ(Judged(first, "def double(number):\n    return 2 * number\n"), Judgement::kRight);
  EXPECT_EQ(program.find(">>>"), std::string::npos);  // a whole function replaces the prompt's
  EXPECT_EQ(Judged(first, "    return 3 * number\n"), Judgement::kWrong);
  // A program that ends before its tests has not passed them.
  EXPECT_EQ(Judged(first, "    exit(0)\n"), Judgement::kWrong);
  EXPECT_EQ(Judged(first, ""), Judgement::kNone);
  EXPECT_EQ(Judged((*items)[1], "def quarter(n):\n    return half(half(n))\n"), Judgement::kRight);
  EXPECT_THAT(program, HasSubstr("def half(number"));  // what stands before the function stays
  sandbox = false;
  Answer answer;
  answer.value = "    return 2 * number\n";
  EXPECT_FALSE(first.judge(answer));  // an error, not a wrong answer
}

TEST(HumanEval, NeedsASandbox) {
  Selection selection;
  selection.file = Golden("humaneval.jsonl");
  EXPECT_THAT(LoadFrom("humaneval", selection).error().Message(), HasSubstr("sandbox"));
}

TEST(Files, ErrorsNameTheFileAndTheLine) {
  const std::string good = R"({"question":"q","answer":"#### 1"})";
  EXPECT_EQ(ErrorOf("gsm8k", good + "\n\n" + good + "\n"), "read");
  EXPECT_THAT(ErrorOf("gsm8k", good + "\n{"), ::testing::StartsWith("FILE:2: "));
  EXPECT_EQ(ErrorOf("gsm8k", good + "\n[1]"), "FILE:2: not a JSON object");
  EXPECT_EQ(ErrorOf("gsm8k", "[1]"), "FILE: item 1: not a JSON object");
  EXPECT_EQ(ErrorOf("gsm8k", R"({"question":"q"})"), "FILE:1: no field answer");
  EXPECT_EQ(ErrorOf("gsm8k", R"({"question":7,"answer":"#### 1"})"),
            "FILE:1: field question is not text");
  EXPECT_EQ(ErrorOf("gsm8k", R"({"question":"","answer":"#### 1"})"),
            "FILE:1: field question is empty");
  EXPECT_EQ(ErrorOf("gsm8k", R"({"question":"q","answer":"1"})"),
            "FILE:1: no #### in field answer");
  EXPECT_EQ(ErrorOf("gsm8k", R"({"question":"q","answer":"#### one"})"),
            "FILE:1: no number behind #### in field answer");
  EXPECT_THAT(ErrorOf("gsm8k", "{\"question\":\"\xff\"}"), ::testing::StartsWith("FILE:1: "));
  EXPECT_EQ(ErrorOf("gsm8k", "\n\n"), "FILE: there is no question in it");
  EXPECT_EQ(
      ErrorOf("gsm8k", "{\"question\":\"" + std::string(70000, 'a') + "\",\"answer\":\"#### 1\"}"),
      "FILE:1: field question is over 65536 bytes long");
  EXPECT_EQ(ErrorOf("math", R"({"problem":"p","solution":"\\boxed{1"})"),
            "FILE:1: no \\boxed{} in field solution");
  EXPECT_EQ(ErrorOf("prontoqa",
                    R"({"context":"c","question":"q","options":["A) a","B) b"],"answer":"C"})"),
            "FILE:1: field answer is not the letter of an option");
  EXPECT_EQ(
      ErrorOf("proofwriter", R"({"context":"c","question":"q","options":["A) a",1],"answer":"A"})"),
      "FILE:1: field options holds more than text");
  EXPECT_EQ(ErrorOf("humaneval", R"({"prompt":"p","entry_point":"f(","test":"t"})"),
            "FILE:1: field entry_point is no name");
  EXPECT_THAT(LoadFrom("gsm8k", {}).error().Message(), HasSubstr("--data gsm8k=FILE"));
  Selection missing;
  missing.file = "/no/such/file";
  EXPECT_THAT(LoadFrom("gsm8k", missing).error().Message(), HasSubstr("/no/such/file"));
  EXPECT_FALSE(LoadFrom("gsm8k:5", missing));
}

TEST(Files, AreReadAsFarAsAskedFor) {
  Selection selection;
  selection.file = Golden("gsm8k.jsonl");
  selection.count = 2;
  EXPECT_EQ(LoadFrom("gsm8k", selection)->size(), 2u);
}

}  // namespace
}  // namespace ergo::reasoning::eval
