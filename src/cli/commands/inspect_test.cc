#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/testing/command_line.h"
#include "generate/testing/tiny_model.h"

namespace ergo::cli {
namespace {

using generate::testing::TinyFolder;
using testing::ErrorLine;
using testing::Execute;
using ::testing::HasSubstr;
using testing::Ran;

class InspectTest : public ::testing::Test {
 protected:
  std::vector<std::string> Words(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"inspect", "-m", folder_.path(), "--compute", "f32"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  OrderedJson InJson(const std::vector<std::string>& more, const std::string& input = "") const {
    const Ran ran = Execute(Words(more), input);
    EXPECT_EQ(ran.status, kOk) << ran.err;
    const auto json = ParseOrderedJson(ran.out, "output");
    if (!json) ADD_FAILURE() << json.error().Message() << ran.err;
    return json ? *json : OrderedJson();
  }

  TinyFolder folder_;
};

TEST_F(InspectTest, TellsWhatWasExpected) {
  const OrderedJson json = InJson({"--json", "--alternatives", "211", "abc"});
  ASSERT_EQ(json["tokens"].size(), 4u);  // <s> a b c
  ASSERT_EQ(json["expected"].size(), 4u);
  EXPECT_EQ(json["tokens"][2]["text"], "b");
  for (std::size_t i = 0; i < 4; ++i) {
    const OrderedJson& one = json["expected"][i];
    EXPECT_EQ(one["position"], i + 1);
    double sum = 0.0;
    double entropy = 0.0;
    for (const OrderedJson& other : one["alternatives"]) {
      const double logprob = other["logprob"].get<double>();
      sum += std::exp(logprob);
      entropy -= std::exp(logprob) * logprob;
      if (i < 3 && other["id"] == json["tokens"][i + 1]["id"]) {
        EXPECT_EQ(other["logprob"], one["logprob"]);
      }
    }
    EXPECT_NEAR(sum, 1.0, 1e-4);
    EXPECT_NEAR(one["entropy"].get<double>(), entropy, 1e-3);
  }
  EXPECT_TRUE(json["expected"][3]["logprob"].is_null());
}

TEST_F(InspectTest, ShowsATable) {
  const Ran ran = Execute(Words({"--alternatives", "2", "a\nb"}));
  EXPECT_EQ(ran.status, kOk) << ran.err;
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1 + 4 + 1);
  EXPECT_THAT(ran.out, HasSubstr("\"\\n\""));
  const Ran one = Execute(Words({"--positions", "2,1", "abc"}));
  EXPECT_EQ(std::count(one.out.begin(), one.out.end(), '\n'), 1 + 2);
}

TEST_F(InspectTest, GivesStatesAndAttention) {
  const OrderedJson json = InJson({"--hidden", "--attention", "--layers", "1", "--heads", "0,5",
                                   "--positions", "3", "--tokens"},
                                  "[1, 7, 8, 9]");
  EXPECT_EQ(json["positions"], OrderedJson::array({3}));
  ASSERT_EQ(json["hidden"].size(), 1u);
  EXPECT_EQ(json["hidden"][0]["layer"], 1);
  ASSERT_EQ(json["hidden"][0]["states"].size(), 1u);
  EXPECT_EQ(json["hidden"][0]["states"][0].size(), 24u);
  ASSERT_EQ(json["attention"].size(), 2u);
  EXPECT_EQ(json["attention"][1]["head"], 5);
  double sum = 0.0;
  for (const OrderedJson& weight : json["attention"][1]["weights"][0]) sum += weight.get<double>();
  EXPECT_NEAR(sum, 1.0, 1e-5);
  EXPECT_EQ(InJson({"--hidden", "abc"})["hidden"].size(), 3u);
  EXPECT_FALSE(json.contains("expected"));
}

TEST_F(InspectTest, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorLine(Words({"--positions", "9", "abc"})), HasSubstr("it has 4 tokens"));
  EXPECT_THAT(ErrorLine(Words({"--hidden", "--layers", "9", "abc"})), HasSubstr("layer 9"));
  EXPECT_THAT(ErrorLine(Words({"--attention", "--heads", "6", "abc"})), HasSubstr("head 6"));
  EXPECT_THAT(ErrorLine(Words({"--heads", "1", "abc"})), HasSubstr("--attention"));
  EXPECT_THAT(ErrorLine(Words({"--tokens", "[1, 999]"})), HasSubstr("999"));
  EXPECT_THAT(ErrorLine(Words({"--tokens", "abc"})), HasSubstr("--tokens"));
}

}  // namespace
}  // namespace ergo::cli
