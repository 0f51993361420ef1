#include "tokenizer/bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>

#include "tokenizer/added_tokens.h"

namespace ergo::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<Vocabulary> Build(const std::vector<std::string>& pieces) {
  std::vector<Vocabulary::Entry> entries;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    entries.push_back({pieces[i], static_cast<TokenId>(i)});
  }
  return Vocabulary::Build(entries, "test");
}

TEST(VocabularyTest, FindsWhatItHolds) {
  std::vector<std::string> pieces;
  for (int i = 0; i < 5000; ++i) pieces.push_back("piece" + std::to_string(i * i));
  pieces.push_back("");
  const auto vocabulary = Build(pieces);
  ASSERT_TRUE(vocabulary) << vocabulary.error().Message();
  EXPECT_EQ(vocabulary->size(), pieces.size());
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    EXPECT_EQ(vocabulary->Find(pieces[i]), static_cast<TokenId>(i));
    EXPECT_EQ(vocabulary->Piece(static_cast<TokenId>(i)), pieces[i]);
  }
  EXPECT_FALSE(vocabulary->Find("piece"));
  EXPECT_FALSE(vocabulary->Find(""));
  EXPECT_EQ(vocabulary->Piece(-1), "");
  EXPECT_EQ(vocabulary->Piece(1 << 30), "");
}

TEST(VocabularyTest, RefusesNonsense) {
  EXPECT_THAT(Build({"a", "b", "a"}).error().Message(), HasSubstr("same string \"a\""));
  EXPECT_THAT(Vocabulary::Build({{"a", 1}, {"b", 1}}, "x").error().Message(),
              HasSubstr("token id 1 stands for two strings"));
  EXPECT_THAT(Vocabulary::Build({{"a", -1}}, "x").error().Message(), HasSubstr("below zero"));
  EXPECT_THAT(Vocabulary::Build({{"a", 2000000000}}, "x").error().Message(),
              HasSubstr("in a vocabulary of 1"));
  const auto sparse = Vocabulary::Build({{"a", 0}, {"b", 300}}, "x");
  ASSERT_TRUE(sparse);
  EXPECT_EQ(sparse->size(), 301u);
  EXPECT_EQ(sparse->Piece(150), "");
}

/// Merges by pairs of ids, in the order of a map.
struct MapFinder {
  const std::map<std::pair<TokenId, TokenId>, Merge>& merges;
  Merge operator()(const Symbol& left, const Symbol& right, std::uint32_t) const {
    const auto it = merges.find({left.id, right.id});
    return it == merges.end() ? Merge{} : it->second;
  }
};

/// The definition: again and again the best pair of all, the leftmost of equal ones.
std::vector<TokenId> MergedByDefinition(std::vector<TokenId> ids, const MapFinder& find) {
  for (;;) {
    Merge best;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const Merge merge = find({ids[i], 0}, {ids[i + 1], 0}, 0);
      if (merge.order < best.order) {
        best = merge;
        at = i;
      }
    }
    if (best.order == Merge::kNone) return ids;
    ids[at] = best.id;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

TEST(MergeTest, BothLoopsFollowTheDefinition) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    // Each new token is made of two earlier ones, so that ids determine text.
    std::map<std::pair<TokenId, TokenId>, Merge> merges;
    for (TokenId id = 3; id < 60; ++id) {
      const auto left = static_cast<TokenId>(random() % static_cast<unsigned>(id));
      const auto right = static_cast<TokenId>(random() % static_cast<unsigned>(id));
      merges.try_emplace({left, right}, Merge{static_cast<std::uint64_t>(id), id});
    }
    const MapFinder find{merges};
    std::vector<TokenId> ids;
    MergeScratch few;
    MergeScratch many;
    const std::size_t n = 2 + random() % 100;
    for (std::size_t i = 0; i < n; ++i) {
      ids.push_back(static_cast<TokenId>(random() % 3));
      few.symbols.push_back({ids.back(), static_cast<std::uint32_t>(i)});
    }
    many.symbols = few.symbols;
    MergeFew(find, static_cast<std::uint32_t>(n), &few);
    MergeMany(find, static_cast<std::uint32_t>(n), &many);
    const std::vector<TokenId> want = MergedByDefinition(ids, find);
    std::vector<TokenId> got_few;
    std::vector<TokenId> got_many;
    for (const Symbol& symbol : few.symbols) got_few.push_back(symbol.id);
    for (const Symbol& symbol : many.symbols) got_many.push_back(symbol.id);
    ASSERT_EQ(got_few, want);
    ASSERT_EQ(got_many, want);
  }
}

std::shared_ptr<const Vocabulary> Shared(const std::vector<std::string>& pieces) {
  return std::make_shared<const Vocabulary>(std::move(*Build(pieces)));
}

std::vector<TokenId> Ids(const BpeModel& model, std::string_view word) {
  std::vector<TokenId> ids;
  EncodeState state;
  state.ids = &ids;
  model.Encode(word, &state);
  return ids;
}

TEST(BpeModelTest, LongWordsTakeNoQuadraticTime) {
  const auto vocabulary = Shared({"a", "aa", "aaaa", "aaaaaaaa"});
  auto table = BuildMergeTable(*vocabulary, {{"a", "a"}, {"aa", "aa"}, {"aaaa", "aaaa"}}, "", "x");
  ASSERT_TRUE(table);
  const BpeModel model(vocabulary, std::move(*table), {});
  const auto start = std::chrono::steady_clock::now();
  const auto ids = Ids(model, std::string(1000001, 'a'));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_EQ(ids.size(), 125001u);
  EXPECT_EQ(ids.back(), 0);
}

TEST(BpeModelTest, MissingPartsOfMerges) {
  const auto vocabulary = Shared({"a", "b", "ab"});
  EXPECT_TRUE(BuildMergeTable(*vocabulary, {{"a", "b"}}, "", "x"));
  EXPECT_THAT(BuildMergeTable(*vocabulary, {{"a", "c"}}, "", "x").error().Message(),
              HasSubstr("needs \"c\", which is no token"));
  EXPECT_THAT(BuildMergeTable(*vocabulary, {{"b", "a"}}, "", "x").error().Message(),
              HasSubstr("needs \"ba\""));
}

TEST(BpeModelTest, UnknownCharacters) {
  const auto vocabulary = Shared({"<unk>", "a", "b", "ab"});
  const auto model = [&](BpeOptions options) {
    return BpeModel(vocabulary, std::move(*BuildMergeTable(*vocabulary, {{"a", "b"}}, "", "x")),
                    std::move(options));
  };
  EXPECT_THAT(Ids(model({}), "axxb"), ElementsAre(3));  // dropped: a and b become neighbours
  BpeOptions options;
  options.unknown = 0;
  EXPECT_THAT(Ids(model(options), "axxb"), ElementsAre(1, 0, 0, 2));
  options.fuse_unknown = true;
  EXPECT_THAT(Ids(model(options), "axxb"), ElementsAre(1, 0, 2));
}

TEST(BpeModelTest, VocabularyMergesGoByRank) {
  // "abc": bc (rank 1) goes before ab (rank 2).
  const auto vocabulary = Shared({"a", "b", "c", "ab", "bc", "<unk>"});
  BpeOptions options;
  options.unknown = 5;
  const BpeModel model(vocabulary, VocabularyMerges({9, 9, 9, 2, 1, 9}), options);
  EXPECT_THAT(Ids(model, "abc"), ElementsAre(0, 4));
  EXPECT_THAT(Ids(model, "ab?"), ElementsAre(3, 5));
}

TEST(BpeModelTest, CacheChangesNothing) {
  const auto vocabulary = Shared({"a", "b", "ab", "abab"});
  auto table = BuildMergeTable(*vocabulary, {{"a", "b"}, {"ab", "ab"}}, "", "x");
  const BpeModel model(vocabulary, std::move(*table), {});
  WordCache cache;
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string word;
    for (std::size_t n = 1 + random() % 33; n > 0; --n) word += random() % 2 == 0 ? 'a' : 'b';
    std::vector<TokenId> ids;
    EncodeState state;
    state.ids = &ids;
    state.cache = &cache;
    model.Encode(word, &state);
    ASSERT_EQ(ids, Ids(model, word)) << word;
  }
}

std::vector<std::pair<TokenId, std::string>> Split(const AddedTokenFinder& finder,
                                                   std::string_view text, bool special = true) {
  std::vector<std::pair<TokenId, std::string>> parts;
  for (const auto& part : finder.Split(text, special)) {
    parts.emplace_back(part.id, std::string(part.text));
  }
  return parts;
}

TEST(AddedTokenTest, LeftmostLongestWithFlags) {
  using Part = std::pair<TokenId, std::string>;
  AddedTokenFinder finder({{"<a>", 1, true},
                           {"<a>b", 2},
                           {"ing", 3, false, true},
                           {"<m>", 4, true, false, true, true},
                           {"<", 5}});
  EXPECT_THAT(
      Split(finder, "x<a>by<a>c"),
      ElementsAre(Part{-1, "x"}, Part{2, "<a>b"}, Part{-1, "y"}, Part{1, "<a>"}, Part{-1, "c"}));
  EXPECT_THAT(Split(finder, "sing ing"), ElementsAre(Part{-1, "sing "}, Part{3, "ing"}));
  EXPECT_THAT(Split(finder, "x  <m>\n y"),
              ElementsAre(Part{-1, "x"}, Part{4, "  <m>\n "}, Part{-1, "y"}));
  EXPECT_THAT(Split(finder, "<a> <ab", false),
              ElementsAre(Part{-1, "<a> "}, Part{5, "<"}, Part{-1, "ab"}));
  EXPECT_THAT(Split(finder, ""), ElementsAre());
}

}  // namespace
}  // namespace ergo::tokenizer
