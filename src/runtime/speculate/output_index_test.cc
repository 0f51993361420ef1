#include "runtime/speculate/output_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "runtime/speculate/lookup_proposer.h"

namespace ergo::runtime {
namespace {

using Tokens = std::vector<std::int32_t>;

Tokens Counting(std::int32_t first, std::size_t count) {
  Tokens tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

TEST(OutputIndex, FindsWhatEarlierOutputsWentOnWith) {
  OutputIndex index;
  index.Add("a", Counting(100, 50));
  const Proposal found = index.Propose("a", Counting(110, 6), 4);
  EXPECT_EQ(found.tokens, Counting(116, 4));
  EXPECT_EQ(found.matched, 6u);
  EXPECT_TRUE(index.Propose("a", Counting(110, 3), 4).tokens.empty()) << "shorter than a match";
  EXPECT_TRUE(index.Propose("a", Counting(500, 9), 4).tokens.empty());
}

TEST(OutputIndex, KeepsNameSpacesApart) {
  OutputIndex index;
  index.Add("a", Counting(100, 50));
  EXPECT_TRUE(index.Propose("b", Counting(110, 6), 4).tokens.empty());
  index.Drop("a");
  EXPECT_TRUE(index.Propose("a", Counting(110, 6), 4).tokens.empty());
  EXPECT_EQ(index.bytes(), 0u);
}

TEST(OutputIndex, NeverCrossesFromOneOutputToTheNext) {
  OutputIndex index;
  index.Add("", Counting(100, 20));
  index.Add("", Counting(200, 20));
  EXPECT_EQ(index.Propose("", Counting(110, 8), 9).tokens, Counting(118, 2));
  EXPECT_TRUE(index.Propose("", Counting(112, 8), 9).tokens.empty()) << "nothing follows";
  Tokens across = Counting(117, 3);
  across.insert(across.end(), {200, 201, 202});
  EXPECT_TRUE(index.Propose("", across, 9).tokens.empty());
}

TEST(OutputIndex, PrefersLongMatchesThenTheMajority) {
  OutputIndex index;
  index.Add("", Tokens{9, 1, 2, 3, 4, 70});
  for (int i = 0; i < 2; ++i) index.Add("", Tokens{8, 1, 2, 3, 4, 50});
  index.Add("", Tokens{8, 1, 2, 3, 4, 60});
  EXPECT_EQ(index.Propose("", Tokens{9, 1, 2, 3, 4}, 1).tokens, Tokens{70});
  EXPECT_EQ(index.Propose("", Tokens{8, 1, 2, 3, 4}, 1).tokens, Tokens{50});
  index.Add("", Tokens{8, 1, 2, 3, 4, 60});
  EXPECT_EQ(index.Propose("", Tokens{8, 1, 2, 3, 4}, 1).tokens, Tokens{60}) << "the latest";
}

TEST(OutputIndex, ForgetsTheOldest) {
  OutputIndexOptions options;
  options.tokens = 1024;
  OutputIndex index(options);
  for (std::int32_t i = 0; i < 100; ++i) index.Add("", Counting(1000 * i, 200));
  const std::size_t bytes = index.bytes();
  EXPECT_LE(bytes, 1024u * 24);
  for (std::int32_t i = 0; i < 100; ++i) {
    const bool kept = !index.Propose("", Counting(1000 * i + 50, 8), 2).tokens.empty();
    EXPECT_EQ(kept, i >= 95) << i;
  }
  // More than there is room for: the end of it stays.
  index.Add("", Counting(500'000, 5000));
  EXPECT_EQ(index.Propose("", Counting(504'900, 8), 2).tokens, Counting(504'908, 2));
  EXPECT_TRUE(index.Propose("", Counting(500'900, 8), 2).tokens.empty());
  EXPECT_EQ(index.bytes(), bytes);
}

TEST(OutputIndex, TheNameSpaceUnusedForLongestGoes) {
  OutputIndexOptions options;
  options.name_spaces = 2;
  OutputIndex index(options);
  index.Add("a", Counting(0, 20));
  index.Add("b", Counting(0, 20));
  index.Add("a", Counting(100, 20));
  index.Add("c", Counting(0, 20));
  EXPECT_FALSE(index.Propose("a", Counting(0, 8), 1).tokens.empty());
  EXPECT_TRUE(index.Propose("b", Counting(0, 8), 1).tokens.empty());
  EXPECT_FALSE(index.Propose("c", Counting(0, 8), 1).tokens.empty());
}

/// Longest match of the end of `tokens` anywhere in `outputs` with a token behind it.
std::size_t LongestMatch(const std::vector<Tokens>& outputs, const Tokens& tokens,
                         std::size_t most) {
  std::size_t longest = 0;
  for (const Tokens& output : outputs) {
    for (std::size_t end = 1; end < output.size(); ++end) {
      std::size_t length = 0;
      while (length < std::min({end, tokens.size(), most}) &&
             output[end - 1 - length] == tokens[tokens.size() - 1 - length]) {
        ++length;
      }
      longest = std::max(longest, length);
    }
  }
  return longest;
}

TEST(OutputIndex, AgreesWithNaiveSearchOnRandomOutputs) {
  std::mt19937 random(4);
  OutputIndexOptions options;
  options.candidates = 100'000;
  options.min_match = 3;
  options.max_match = 9;
  for (int round = 0; round < 20; ++round) {
    OutputIndex index(options);
    std::vector<Tokens> outputs;
    for (int i = 0; i < 30; ++i) {
      Tokens output(random() % 80);
      for (std::int32_t& token : output) token = static_cast<std::int32_t>(random() % 6);
      index.Add("", output);
      // Too short to be worth remembering.
      if (output.size() > options.min_match) outputs.push_back(output);
    }
    for (int i = 0; i < 50; ++i) {
      Tokens tokens(random() % 20);
      for (std::int32_t& token : tokens) token = static_cast<std::int32_t>(random() % 6);
      const std::size_t longest = LongestMatch(outputs, tokens, options.max_match);
      const Proposal found = index.Propose("", tokens, 5);
      ASSERT_EQ(found.matched, longest >= options.min_match ? longest : 0);
      ASSERT_EQ(found.tokens.empty(), longest < options.min_match);
      if (found.tokens.empty()) continue;
      // The match and the proposal stand in some output in a row.
      Tokens run(tokens.end() - static_cast<std::ptrdiff_t>(longest), tokens.end());
      run.insert(run.end(), found.tokens.begin(), found.tokens.end());
      ASSERT_TRUE(std::any_of(outputs.begin(), outputs.end(), [&](const Tokens& output) {
        return std::search(output.begin(), output.end(), run.begin(), run.end()) != output.end();
      }));
    }
  }
}

TEST(LookupProposer, AsksEarlierOutputsWhereTheSequenceHasLess) {
  OutputIndex index;
  index.Add("n", Counting(10, 30));
  LookupProposer proposer(&index, "n");
  EXPECT_EQ(proposer.Propose(Counting(10, 5), 3).tokens, Counting(15, 3));
  // Its own match is longer.
  Tokens own = {99, 10, 11, 12, 13, 14, 77, 78, 99, 10, 11, 12, 13, 14};
  EXPECT_EQ(proposer.Propose(own, 2).tokens, (Tokens{77, 78}));
  // Its own match is shorter.
  own = {12, 13, 14, 77, 78, 10, 11, 12, 13, 14};
  EXPECT_EQ(proposer.Propose(own, 2).tokens, (Tokens{15, 16}));
  EXPECT_EQ(proposer.Fork()->Propose(own, 2).tokens, (Tokens{15, 16}));
  EXPECT_EQ(LookupProposer().Propose(own, 2).tokens, (Tokens{77, 78}));
}

}  // namespace
}  // namespace ergo::runtime
