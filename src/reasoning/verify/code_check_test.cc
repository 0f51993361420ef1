#include "reasoning/verify/code_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "reasoning/verify/code_block.h"

namespace ergo::reasoning {
namespace {

using ::testing::HasSubstr;

TEST(CodeBlockTest, FindsFencesAndTheirLanguages) {
  const std::string_view text = "Look:\n```Python\nx = 1\n```\nand\n~~~\n```\n~~~\n```cpp\nint x;";
  const auto blocks = FindCodeBlocks(text);
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[0].language, "python");
  EXPECT_EQ(blocks[0].code, "x = 1\n");
  EXPECT_EQ(text.substr(blocks[0].span.begin, blocks[0].span.end - blocks[0].span.begin),
            "```Python\nx = 1\n```");
  EXPECT_EQ(blocks[1].code, "```\n");
  EXPECT_EQ(blocks[2].code, "int x;");
}

class CodeCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Status available = SandboxAvailable();
    if (!available) GTEST_SKIP() << available.error().Message();
    limits_.wall = std::chrono::seconds(30);
    limits_.compile_wall = std::chrono::seconds(90);
  }

  std::vector<Finding> Check(std::string_view text, std::vector<std::string> earlier = {}) {
    return CodeCheck(limits_).Run({.question = "", .text = text, .earlier = earlier});
  }

  Finding Python(const std::string& code, std::vector<std::string> earlier = {}) {
    const auto findings = Check("```python\n" + code + "\n```", std::move(earlier));
    EXPECT_EQ(findings.size(), 1U);
    return findings.empty() ? Finding{} : findings[0];
  }

  std::string Answer(std::string_view code) {
    const auto answer = RunPythonForAnswer(code, limits_);
    return answer ? *answer : "! " + answer.error().what;
  }

  SandboxLimits limits_;
};

TEST_F(CodeCheckTest, AssertionsDecideExactly) {
  const Finding holds = Python("def f(x): return x * 2\nassert f(2) == 4\nassert f(3) == 6");
  EXPECT_EQ(holds.verdict, Verdict::kVerified);
  EXPECT_TRUE(holds.exact);
  EXPECT_THAT(holds.reason, HasSubstr("2 of 2"));
  const Finding fails = Python("def f(x): return x * 2\nassert f(2) == 5");
  EXPECT_EQ(fails.verdict, Verdict::kRefuted);
  EXPECT_TRUE(fails.exact);
  EXPECT_THAT(fails.reason, HasSubstr("line 2"));
}

TEST_F(CodeCheckTest, AssertionsThatAreNotReachedVerifyNothing) {
  for (const char* code : {"import sys\nsys.exit(0)\nassert 1 == 2", "for i in []: assert i == 2",
                           "def f(): assert False", "x = 1"}) {
    EXPECT_EQ(Python(code).verdict, Verdict::kUnsupported) << code;
    EXPECT_FALSE(Python(code).exact);
  }
  const Finding half = Python("assert True\nif False: assert 1 == 2");
  EXPECT_EQ(half.verdict, Verdict::kVerified);
  EXPECT_FALSE(half.exact);
}

TEST_F(CodeCheckTest, FailuresRefuteButNotExactly) {
  for (const char* code :
       {"x = 1 / 0", "def f(:", "import os; os.abort()", "import os; os._exit(3)",
        "raise AssertionError('not an assert statement')", "undefined_name + 1"}) {
    const Finding finding = Python(code);
    EXPECT_EQ(finding.verdict, Verdict::kRefuted) << code;
    EXPECT_FALSE(finding.exact) << code;
    EXPECT_FALSE(finding.reason.empty());
  }
  limits_.wall = std::chrono::milliseconds(300);
  EXPECT_THAT(Python("while True: pass").reason, HasSubstr("not ended"));
}

TEST_F(CodeCheckTest, WhatTheSandboxLacksIsUnchecked) {
  EXPECT_EQ(Python("import no_such_module_anywhere").verdict, Verdict::kUnchecked);
  EXPECT_EQ(Python("n = int(input())").verdict, Verdict::kUnchecked);
  EXPECT_EQ(Check("```cpp\nint f() { return 1; }\n```")[0].verdict, Verdict::kUnchecked);
}

TEST_F(CodeCheckTest, EarlierStepsAreSeen) {
  EXPECT_EQ(
      Python("assert f(2) == 4", {"```python\ndef f(x): return x * x\nprint(1)\n```"}).verdict,
      Verdict::kVerified);
}

TEST_F(CodeCheckTest, ShownOutputIsCompared) {
  const auto right = Check("```python\nprint(6 * 7)\n```\nOutput:\n```output\n42\n```");
  ASSERT_EQ(right.size(), 2U);
  EXPECT_EQ(right[1].verdict, Verdict::kVerified);
  EXPECT_TRUE(right[1].exact);
  const auto wrong = Check("```python\nprint(6 * 7)\n```\n```output\n43\n```");
  EXPECT_EQ(wrong[1].verdict, Verdict::kRefuted);
  EXPECT_EQ(wrong[1].value, "42");
}

TEST_F(CodeCheckTest, CppAssertions) {
  const auto findings = Check(
      "```cpp\n#include <cassert>\nint main() { assert(1 + 1 == 3); }\n```\n"
      "```cpp\nstatic_assert(1 + 1 == 3); int main() {}\n```");
  ASSERT_EQ(findings.size(), 2U);
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.verdict, Verdict::kRefuted);
    EXPECT_TRUE(finding.exact) << finding.reason;
  }
}

TEST_F(CodeCheckTest, NoTimeIsNoVerdict) {
  const auto findings = CodeCheck(limits_).Run(
      {.question = "", .text = "```python\nx\n```", .until = std::chrono::steady_clock::now()});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].verdict, Verdict::kUnchecked);
}

TEST_F(CodeCheckTest, AnswersOfPrograms) {
  EXPECT_EQ(Answer("answer = 3 * 12 * 5 / 6 * 0.25"), "7.5");
  EXPECT_EQ(Answer("def solution():\n    return 72 / 2\n"), "36");
  EXPECT_EQ(Answer("Here:\n```python\nprint('so')\nprint(5)\n```\nDone"), "5");
  EXPECT_EQ(Answer("def solution():\n    return 6\nprint(solution())"), "6");
  EXPECT_EQ(Answer("x = 4\nx + 1"), "5");
  EXPECT_EQ(Answer("from fractions import Fraction\nanswer = Fraction(1, 3)"), "1/3");
  EXPECT_EQ(Answer("import os\nprint(4, flush=True)\nos._exit(0)"), "4");
  EXPECT_EQ(Answer("x = 1\ny = x / 0"), "! ZeroDivisionError: division by zero in line 2");
  EXPECT_EQ(Answer("x = 4\ntotal = x + 3\nname = 'so'\nname, x = 1, 2\ntotal = x / 4"), "0.5");
  EXPECT_THAT(Answer("x = 'one'"), HasSubstr("prints nothing"));
  EXPECT_THAT(Answer("answer ="), HasSubstr("SyntaxError"));
  limits_.wall = std::chrono::milliseconds(500);
  EXPECT_THAT(Answer("answer = 9**9**9"), HasSubstr("! The program"));
}

}  // namespace
}  // namespace ergo::reasoning
