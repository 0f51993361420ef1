#include "reasoning/search/tree_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace ergo::reasoning {
namespace {

/// A tree whose leaves' worth is known: path digits decide.
struct PathState final : SearchState {
  explicit PathState(std::vector<int> way) : path(std::move(way)) {}
  std::vector<int> path;
};

class KnownTree : public SearchDomain {
 public:
  KnownTree(std::size_t width, std::size_t depth, std::uint64_t seed)
      : width_(width), depth_(depth), random_(seed) {
    std::mt19937_64 draw(seed * 977 + 5);
    std::size_t leaves = 1;
    for (std::size_t i = 0; i < depth; ++i) leaves *= width;
    for (std::size_t i = 0; i < leaves; ++i)
      worth_.push_back(static_cast<double>(draw() % 1000) / 1000.0);
    worth_[draw() % leaves] = 1.0;
  }

  double Worth(const std::vector<int>& path) const {
    std::size_t index = 0;
    for (const int step : path) index = index * width_ + static_cast<std::size_t>(step);
    return worth_[index];
  }
  double Regret(const TreeSearch& search) const {
    const std::size_t best = search.Best();
    const auto& path = static_cast<const PathState&>(*search.nodes()[best].state).path;
    return path.size() == depth_ ? 1.0 - Worth(path) : 1.0;
  }

  std::vector<std::vector<Move>> Extend(std::span<const StatePtr> states) override {
    batches_.push_back(states.size());
    std::vector<std::vector<Move>> all;
    for (const StatePtr& state : states) {
      const auto& path = static_cast<const PathState&>(*state).path;
      std::vector<Move> moves;
      for (std::size_t i = 0; i < width_; ++i) {
        auto way = path;
        way.push_back(static_cast<int>(i));
        Move move;
        move.terminal = way.size() == depth_;
        move.refuted = refuted_ && refuted_(way);
        move.key = key_ ? key_(way) : "";
        move.state = std::make_shared<PathState>(std::move(way));
        moves.push_back(std::move(move));
      }
      all.push_back(std::move(moves));
      ++extended_;
    }
    return all;
  }

  /// The worth of a leaf, or of one leaf below, drawn at random.
  std::vector<double> Value(std::span<const StatePtr> states) override {
    std::vector<double> values;
    for (const StatePtr& state : states) {
      auto path = static_cast<const PathState&>(*state).path;
      while (path.size() < depth_) path.push_back(static_cast<int>(random_() % width_));
      values.push_back(Worth(path));
    }
    return values;
  }
  bool Exhausted() override { return extended_ >= most_; }

  std::size_t width_;
  std::size_t depth_;
  std::mt19937_64 random_;
  std::vector<double> worth_;
  std::function<bool(const std::vector<int>&)> refuted_;
  std::function<std::string(const std::vector<int>&)> key_;
  std::size_t extended_ = 0;
  std::size_t most_ = 100000;
  std::vector<std::size_t> batches_;
};

StatePtr Root() { return std::make_shared<PathState>(std::vector<int>{}); }

TEST(TreeSearch, FindsTheBestLeafOfASmallTree) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    KnownTree tree(3, 3, seed);
    TreeSearch search(tree, {.leaves = 1, .rounds = 1200});
    search.Run(Root());
    EXPECT_LE(tree.Regret(search), 0.02) << seed;
  }
}

TEST(TreeSearch, ValuesAreExactMeansOfWhatWasBackedUp) {
  KnownTree tree(2, 2, 3);
  TreeSearch search(tree, {.leaves = 1, .rounds = 40});
  search.Run(Root());
  const auto& nodes = search.nodes();
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (!nodes[i].terminal) continue;
    const auto& path = static_cast<const PathState&>(*nodes[i].state).path;
    EXPECT_NEAR(nodes[i].mean(), tree.Worth(path), 1e-12);
  }
  // Every back-up reaches the root, and the visits of the edges are those of the children.
  std::uint64_t visits = 0;
  double sum = 0.0;
  for (const auto& edge : nodes[0].edges) {
    EXPECT_EQ(edge.visits, nodes[edge.child].visits);
    visits += edge.visits;
    sum += nodes[edge.child].sum;
  }
  EXPECT_EQ(visits, nodes[0].visits);
  EXPECT_NEAR(sum, nodes[0].sum, 1e-9);
}

TEST(TreeSearch, RegretFallsWithTheBudget) {
  const auto mean_regret = [](std::size_t budget) {
    double sum = 0.0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      KnownTree tree(4, 5, seed);
      tree.most_ = budget;
      TreeSearch search(tree, {.leaves = 4, .rounds = 3000});
      search.Run(Root());
      sum += tree.Regret(search);
    }
    return sum / 40.0;
  };
  const double little = mean_regret(10);
  const double more = mean_regret(60);
  const double much = mean_regret(341);  // all states that have children
  EXPECT_LT(more, little);
  EXPECT_LT(much, more);
  EXPECT_LT(much, 0.02);
}

TEST(TreeSearch, ManyLeavesARoundFindWhatOneAtATimeFinds) {
  double one = 0.0;
  double many = 0.0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (const std::size_t leaves : {1u, 64u}) {
      KnownTree tree(4, 4, seed);
      tree.most_ = 60;
      TreeSearch search(tree, {.leaves = leaves, .rounds = 10000});
      search.Run(Root());
      (leaves == 1 ? one : many) += tree.Regret(search) / 30.0;
      if (leaves == 64) {
        EXPECT_GE(*std::max_element(tree.batches_.begin(), tree.batches_.end()), 16u);
      }
    }
  }
  EXPECT_LT(many, one + 0.1);
}

TEST(TreeSearch, NeverEntersWhatIsRefuted) {
  KnownTree tree(3, 4, 7);
  tree.refuted_ = [](const std::vector<int>& path) { return path[0] == 1; };
  TreeSearch search(tree, {.leaves = 4, .rounds = 300});
  search.Run(Root());
  for (const SearchNode& node : search.nodes()) {
    const auto& path = static_cast<const PathState&>(*node.state).path;
    if (!path.empty() && path[0] == 1) {
      EXPECT_EQ(path.size(), 1u);
      EXPECT_EQ(node.visits, 0u);
    }
  }
  // Where all ends are refuted, so is the root, and the search ends.
  KnownTree hopeless(3, 3, 7);
  hopeless.refuted_ = [](const std::vector<int>& path) { return path.size() == 3; };
  TreeSearch in_vain(hopeless, {.leaves = 4, .rounds = 100000});
  in_vain.Run(Root());
  EXPECT_TRUE(in_vain.nodes()[0].refuted);
  EXPECT_LT(in_vain.rounds(), 100u);
}

TEST(TreeSearch, EqualStatesAreOne) {
  KnownTree tree(3, 4, 11);
  tree.key_ = [](const std::vector<int>& path) {
    auto sorted = path;
    std::sort(sorted.begin(), sorted.end());
    std::string key;
    for (const int step : sorted) key += static_cast<char>('0' + step);
    return key;
  };
  TreeSearch search(tree, {.leaves = 8, .rounds = 400});
  search.Run(Root());
  // Multisets of at most 4 of 3 things.
  EXPECT_LE(search.nodes().size(), 1u + 3 + 6 + 10 + 15);
  for (std::size_t i = 0; i < search.nodes().size(); ++i) {
    const auto path = search.PathTo(i);
    EXPECT_EQ(path.size(), search.nodes()[i].depth + 1);
  }
}

TEST(TreeSearch, StopsWhenOneIsAhead) {
  KnownTree tree(2, 2, 5);
  TreeSearch search(tree, {.leaves = 1, .rounds = 100000, .lead = 5.0});
  search.Run(Root());
  EXPECT_LT(search.rounds(), 1000u);
  const auto terminals = search.Terminals();
  ASSERT_GE(terminals.size(), 2u);
  EXPECT_GE(search.nodes()[terminals[0]].sum - search.nodes()[terminals[1]].sum, 5.0);
}

TEST(TreeSearch, DeadEndsAndEmptyTreesEnd) {
  class Nothing : public SearchDomain {
   public:
    std::vector<std::vector<Move>> Extend(std::span<const StatePtr> states) override {
      return std::vector<std::vector<Move>>(states.size());
    }
    std::vector<double> Value(std::span<const StatePtr>) override { return {}; }
    bool Exhausted() override { return false; }
  } nothing;
  TreeSearch search(nothing, {.rounds = 50});
  search.Run(Root());
  EXPECT_EQ(search.Best(), 0u);
  EXPECT_TRUE(search.Terminals().empty());
}

}  // namespace
}  // namespace ergo::reasoning
