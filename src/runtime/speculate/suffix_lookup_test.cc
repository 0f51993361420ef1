#include "runtime/speculate/suffix_lookup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace ergo::runtime {
namespace {

using Tokens = std::vector<std::int32_t>;

/// What LookUpSuffix is to find, in the plainest way.
Proposal Naive(const Tokens& tokens, std::size_t most, const SuffixLookupOptions& options) {
  const std::size_t n = tokens.size();
  std::map<std::size_t, std::vector<std::size_t>> ends;  // by length, the last one first
  for (std::size_t end = n; end-- > 1;) {
    std::size_t length = 0;
    while (length < std::min(end, options.max_match) &&
           tokens[end - 1 - length] == tokens[n - 1 - length]) {
      ++length;
    }
    ends[length].push_back(end);
  }
  if (ends.empty() || ends.rbegin()->first < options.min_match) return {};
  Proposal out;
  out.matched = ends.rbegin()->first;
  std::vector<std::size_t> places = ends.rbegin()->second;
  if (places.size() > options.candidates) places.resize(options.candidates);
  Tokens text = tokens;
  for (std::size_t step = 0; step < most; ++step) {
    std::map<std::int32_t, int> votes;
    for (const std::size_t place : places) ++votes[text[place + step]];
    int highest = 0;
    for (const auto& [token, count] : votes) highest = std::max(highest, count);
    const auto first = std::find_if(places.begin(), places.end(), [&](std::size_t place) {
      return votes[text[place + step]] == highest;
    });
    const std::int32_t token = text[*first + step];
    std::erase_if(places, [&](std::size_t place) { return text[place + step] != token; });
    text.push_back(token);
    out.tokens.push_back(token);
  }
  return out;
}

void ExpectAsNaive(const Tokens& tokens, std::size_t most, const SuffixLookupOptions& options) {
  const Proposal expected = Naive(tokens, most, options);
  const Proposal found = LookUpSuffix(tokens, most, options);
  ASSERT_EQ(found.tokens, expected.tokens) << "of " << tokens.size() << " tokens";
  ASSERT_EQ(found.matched, expected.matched) << "of " << tokens.size() << " tokens";
}

TEST(SuffixLookup, AgreesWithNaiveSearchOnRandomTexts) {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    Tokens tokens(random() % 120);
    const unsigned letters = 1 + random() % (round % 3 == 0 ? 2 : 12);
    for (std::int32_t& token : tokens) token = static_cast<std::int32_t>(random() % letters);
    SuffixLookupOptions options;
    options.min_match = 2 + random() % 3;
    options.max_match = options.min_match + random() % 8;
    options.candidates = 1 + random() % 6;
    ExpectAsNaive(tokens, 1 + random() % 15, options);
  }
}

TEST(SuffixLookup, AgreesWithNaiveSearchOnRepetitiveTexts) {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    // Copies of one passage with some changes, as in an edited text.
    Tokens passage(20 + random() % 60);
    for (std::int32_t& token : passage) token = static_cast<std::int32_t>(random() % 50);
    Tokens tokens;
    while (tokens.size() < 400) {
      for (const std::int32_t token : passage) {
        tokens.push_back(random() % 20 == 0 ? static_cast<std::int32_t>(random() % 50) : token);
      }
    }
    tokens.resize(tokens.size() - random() % passage.size());
    ExpectAsNaive(tokens, 12, {});
  }
}

TEST(SuffixLookup, FindsTheLongestMatch) {
  // "1 2 3" goes on with 9, the later "2 3" with 8.
  const Tokens tokens = {1, 2, 3, 9, 7, 2, 3, 8, 5, 1, 2, 3};
  const Proposal found = LookUpSuffix(tokens, 2);
  EXPECT_EQ(found.matched, 3u);
  EXPECT_EQ(found.tokens, (Tokens{9, 7}));
}

TEST(SuffixLookup, AmongEqualMatchesFollowsTheMajorityThenTheLast) {
  const Tokens majority = {4, 5, 6, 0, 1, 4, 5, 6, 0, 2, 4, 5, 7, 3, 4, 5};
  EXPECT_EQ(LookUpSuffix(majority, 3).tokens, (Tokens{6, 0, 2}));
  const Tokens tie = {4, 5, 6, 0, 4, 5, 7, 1, 4, 5};
  EXPECT_EQ(LookUpSuffix(tie, 2).tokens, (Tokens{7, 1}));
}

TEST(SuffixLookup, ContinuesPeriods) {
  EXPECT_EQ(LookUpSuffix(Tokens{5, 5, 5}, 6).tokens, Tokens(6, 5));
  EXPECT_EQ(LookUpSuffix(Tokens{1, 2, 3, 1, 2, 3, 1}, 5).tokens, (Tokens{2, 3, 1, 2, 3}));
}

TEST(SuffixLookup, SaysNothingWithoutAMatch) {
  Tokens different(100);
  std::iota(different.begin(), different.end(), 0);
  const std::vector<Tokens> texts = {{}, {1}, {1, 1}, {1, 2, 2}, different};
  for (const Tokens& tokens : texts) {
    const Proposal found = LookUpSuffix(tokens, 8);
    EXPECT_TRUE(found.tokens.empty());
    EXPECT_EQ(found.matched, 0u);
  }
  EXPECT_TRUE(LookUpSuffix(Tokens{5, 5, 5}, 0).tokens.empty());
}

TEST(SuffixLookup, SearchesOnlyTheWindow) {
  Tokens tokens = {1, 2, 3};
  for (std::int32_t i = 10; i < 60; ++i) tokens.push_back(i);
  tokens.insert(tokens.end(), {1, 2});
  SuffixLookupOptions options;
  EXPECT_EQ(LookUpSuffix(tokens, 1, options).tokens, Tokens{3});
  options.window = 52;
  EXPECT_TRUE(LookUpSuffix(tokens, 1, options).tokens.empty());
}

TEST(SuffixLookup, EndsEarlyOnTextsOfFewTokens) {
  // More places of the last two tokens than are looked at: the latest ones are, and something is
  // found.
  std::mt19937 random(3);
  Tokens tokens(50'000);
  for (std::int32_t& token : tokens) token = static_cast<std::int32_t>(random() % 2);
  const Proposal found = LookUpSuffix(tokens, 15);
  EXPECT_EQ(found.tokens.size(), 15u);
  EXPECT_GE(found.matched, 8u);
}

}  // namespace
}  // namespace ergo::runtime
