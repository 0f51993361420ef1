#include "reasoning/eval/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>

#include "reasoning/eval/judges.h"
#include "reasoning/eval/report.h"

namespace ergo::reasoning::eval {
namespace {

using ::testing::HasSubstr;

std::string Slurp(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove(path_);
    for (const char* name : {"sums", "more"}) {
      Task task;
      task.family = name;
      for (int i = 0; i < 20; ++i) {
        Item item;
        item.id = std::string(name) + std::to_string(i);
        item.question.text = "What is " + std::to_string(i) + " + 1?";
        item.expected = std::to_string(i + 1);
        item.judge = JudgeNumber(item.expected);
        task.items.push_back(item);
      }
      plan_.tasks.push_back(task);
    }
    plan_.strategies = {"even", "good"};
    settings_ = {{"model", "fake"}, {"seed", 0}};
  }
  void TearDown() override { std::filesystem::remove(path_); }

  /// "good" is always right and says so; "even" is right for even numbers, fails for 7 and answers
  /// nothing for 9.
  SolveOne Fake() {
    return [this](std::string_view strategy, const Question& question,
                  const SolveSettings& settings) -> Result<Answer> {
      ++asked_;
      {
        const std::lock_guard lock(mutex_);
        seeds_.insert({std::string(strategy) + question.text, settings.seed});
      }
      const int n = std::stoi(question.text.substr(8));
      Answer answer;
      answer.trace.budget.tokens = static_cast<std::size_t>(n);
      answer.trace.budget.calls = 2;
      if (strategy == "good") {
        answer.value = std::to_string(n + 1);
        answer.confidence = 0.9;
        answer.verified = true;
        return answer;
      }
      if (n == 7) return Fail("nothing to say", "fake");
      if (n == 9) return answer;
      answer.value = std::to_string(n + 1 + n % 2);
      answer.confidence = 0.6;
      answer.verified = n < 4;
      return answer;
    };
  }

  std::unique_ptr<Journal> Open() {
    auto journal = Journal::Open(path_, settings_);
    EXPECT_TRUE(journal) << journal.error().Message();
    return journal ? std::move(*journal) : nullptr;
  }

  const std::string path_ = ::testing::TempDir() + "ergo_eval_journal.jsonl";
  OrderedJson settings_;
  Plan plan_;
  std::atomic<int> asked_ = 0;
  std::mutex mutex_;
  std::set<std::pair<std::string, std::uint64_t>> seeds_;
};

TEST_F(RunnerTest, RowsCountWhatBecameOfEachQuestion) {
  const auto records = RunPlan(plan_, Fake(), nullptr);
  ASSERT_TRUE(records) << records.error().Message();
  ASSERT_EQ(records->size(), 80u);
  EXPECT_EQ((*records)[0].id, "sums0");
  EXPECT_EQ((*records)[20].strategy, "good");
  const std::vector<Row> rows = MakeRows(*records, 15, 1);
  ASSERT_EQ(rows.size(), 6u);  // two families and their sum, by two strategies
  const Row& even = rows[0];
  EXPECT_EQ(even.family, "sums");
  EXPECT_EQ(even.all.right, 10u);
  EXPECT_EQ(even.all.wrong, 8u);
  EXPECT_EQ(even.all.none, 2u);
  EXPECT_EQ(even.failed, 1u);
  EXPECT_EQ(even.verified.right, 2u);
  EXPECT_EQ(even.verified.wrong, 2u);
  EXPECT_EQ(even.over_budget, 4u);
  EXPECT_DOUBLE_EQ(even.tokens_per_question, (190.0 - 7) / 20);
  EXPECT_DOUBLE_EQ(even.accuracy.value, 0.5);
  EXPECT_EQ(even.outcomes.size(), 18u);
  EXPECT_FALSE(even.difference);
  ASSERT_TRUE(rows[1].difference);
  EXPECT_DOUBLE_EQ(rows[1].difference->difference.value, 0.5);
  EXPECT_EQ(rows[1].difference->only_second, 10u);
  EXPECT_EQ(rows[1].difference_to, "even");
  EXPECT_EQ(rows[5].family, "all");
  EXPECT_EQ(rows[5].all.right, 40u);
  const OrderedJson json = ToJson(rows, 1);
  for (const char* key : {"strategy", "accuracy", "accuracy_low", "accuracy_high",
                          "tokens_per_question", "seconds", "ece", "auroc"}) {
    EXPECT_TRUE(json[1].contains(key)) << key;
  }
  EXPECT_NEAR(json[1]["ece"].get<double>(), 0.1, 1e-12);
  EXPECT_THAT(Table(rows), HasSubstr("+50.0 ["));
}

TEST_F(RunnerTest, SeedsDependOnTheQuestionAlone) {
  ASSERT_TRUE(RunPlan(plan_, Fake(), nullptr));
  auto first = std::exchange(seeds_, {});
  EXPECT_EQ(first.size(), 80u);  // two families hold the same texts under other ids
  plan_.parallel = 1;
  std::swap(plan_.tasks[0], plan_.tasks[1]);
  ASSERT_TRUE(RunPlan(plan_, Fake(), nullptr));
  EXPECT_EQ(seeds_, first);
  plan_.seed = 1;
  seeds_.clear();
  ASSERT_TRUE(RunPlan(plan_, Fake(), nullptr));
  EXPECT_NE(seeds_, first);
}

TEST_F(RunnerTest, GoesOnWhereItWasInterrupted) {
  std::atomic<int> left = 30;
  plan_.parallel = 3;
  plan_.cancelled = [&] { return left <= 0; };
  plan_.on_progress = [&](const Progress& progress) {
    --left;
    EXPECT_EQ(progress.of, 80u);
  };
  auto partly = RunPlan(plan_, Fake(), Open().get());
  ASSERT_TRUE(partly);
  EXPECT_LT(partly->size(), 40u);
  EXPECT_GE(partly->size(), 30u);
  const std::size_t kept = partly->size();
  // A line that was cut off by the end of the process.
  std::ofstream(path_, std::ios::app) << "{\"family\":\"sums\",\"stra";
  plan_.cancelled = {};
  std::size_t last = 0;
  plan_.on_progress = [&](const Progress& progress) { last = progress.done; };
  asked_ = 0;
  {
    const auto journal = Open();
    EXPECT_EQ(journal->size(), kept);
    const auto records = RunPlan(plan_, Fake(), journal.get());
    ASSERT_TRUE(records);
    EXPECT_EQ(records->size(), 80u);
    EXPECT_EQ(static_cast<std::size_t>(asked_), 80 - kept);
    EXPECT_EQ(last, 80u);
  }
  // All known: nothing is asked, and the rows are those of an uninterrupted run.
  asked_ = 0;
  const auto again = RunPlan(plan_, Fake(), Open().get());
  EXPECT_EQ(asked_, 0);
  const auto whole = RunPlan(plan_, Fake(), nullptr);
  const std::vector<Row> left_rows = MakeRows(*again, 100, 1);
  const std::vector<Row> right_rows = MakeRows(*whole, 100, 1);
  for (std::size_t i = 0; i < left_rows.size(); ++i) {
    EXPECT_EQ(left_rows[i].all.right, right_rows[i].all.right);
    EXPECT_EQ(left_rows[i].verified.wrong, right_rows[i].verified.wrong);
    EXPECT_EQ(left_rows[i].tokens_per_question, right_rows[i].tokens_per_question);
  }
}

TEST_F(RunnerTest, AnotherQuestionOfThatIdIsAskedAgain) {
  ASSERT_TRUE(RunPlan(plan_, Fake(), Open().get()));
  asked_ = 0;
  plan_.tasks[0].items[3].question.context = "Changed.";
  ASSERT_TRUE(RunPlan(plan_, Fake(), Open().get()));
  EXPECT_EQ(asked_, 2);
}

TEST_F(RunnerTest, TheFileKnowsItsSettings) {
  ASSERT_TRUE(Open());
  settings_["seed"] = 1;
  EXPECT_THAT(Journal::Open(path_, settings_).error().Message(),
              HasSubstr("other settings: seed was 0, and is now 1"));
  std::ofstream(path_) << "my notes\n";
  EXPECT_FALSE(Journal::Open(path_, settings_));
  std::ofstream(path_) << "my notes";
  EXPECT_FALSE(Journal::Open(path_, settings_));
  EXPECT_EQ(Slurp(path_), "my notes");
  std::ofstream(path_) << "{\"ergo_eval\":1,\"model\":\"fake\",\"seed\":1}\n{\"family\":7}\n";
  EXPECT_THAT(Journal::Open(path_, settings_).error().Message(), HasSubstr(":2: "));
  std::filesystem::remove(path_);
  EXPECT_FALSE(Journal::Open("/no/such/folder/x", settings_));
}

TEST_F(RunnerTest, AJudgeThatCannotJudgeEndsTheRun) {
  plan_.tasks[0].items[5].judge = [](const Answer&) -> Result<Judgement> {
    return Fail("no sandbox here");
  };
  EXPECT_THAT(RunPlan(plan_, Fake(), nullptr).error().Message(), HasSubstr("no sandbox here"));
}

TEST(Records, SurviveTheirJson) {
  Record record;
  record.family = "f";
  record.strategy = "s";
  record.id = "i";
  record.question = "h";
  record.judgement = Judgement::kRight;
  record.value = "\xff" + std::string(10000, 'a');
  record.confidence = 0.25;
  record.features.vote = 0.5;
  record.tokens = 7;
  record.wall = 0.5;
  const auto read = RecordFromJson(ToJson(record), "test");
  ASSERT_TRUE(read) << read.error().Message();
  EXPECT_EQ(ToJson(*read), ToJson(record));
  EXPECT_LE(read->value.size(), 4096u);
  const OrderedJson whole = ToJson(record);
  for (const auto& field : whole.items()) {
    OrderedJson spoilt = whole;
    spoilt[field.key()] = OrderedJson::array();
    EXPECT_FALSE(RecordFromJson(spoilt, "test")) << field.key();
  }
}

TEST(Diagram, ShowsTheBins) {
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 90; ++i) outcomes.push_back({i / 90.0, i % 3 == 0});
  const std::string svg = ReliabilityDiagram(outcomes, "a <b> & c", 1);
  EXPECT_THAT(svg, ::testing::StartsWith("<svg "));
  EXPECT_THAT(svg, HasSubstr("a &lt;b> &amp; c"));
  std::size_t bins = 0;
  for (std::size_t at = svg.find("class=\"bin\""); at != std::string::npos;
       at = svg.find("class=\"bin\"", at + 1)) {
    ++bins;
  }
  EXPECT_EQ(bins, 15u);
  EXPECT_THAT(ReliabilityDiagram({}, "none", 1), HasSubstr("0 answers"));
}

}  // namespace
}  // namespace ergo::reasoning::eval
