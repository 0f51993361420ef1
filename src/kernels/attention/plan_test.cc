#include "kernels/attention/plan.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "kernels/attention/attention.h"

namespace ergo::kernels {
namespace {

std::vector<std::size_t> RowOrder(const AttentionPlan& plan) {
  std::vector<std::size_t> order;
  for (const AttentionPlan::Row& row : plan.rows()) order.push_back(row.row);
  return order;
}

/// Every vector is in one part, and none is too large.
void ExpectWhole(const AttentionPlan& plan) {
  std::set<std::size_t> vectors;
  for (const AttentionPlan::Part& part : plan.parts()) {
    EXPECT_LT(part.begin, part.end);
    EXPECT_LE(part.end - part.begin, kMostVectors);
    for (std::size_t v = part.begin; v < part.end; ++v) EXPECT_TRUE(vectors.insert(v).second);
  }
  EXPECT_EQ(vectors.size(), plan.rows().size() * plan.shape().group);
}

TEST(AttentionPlan, SequencesThatShareBlocksAreNeighbours) {
  const std::vector<std::vector<std::int32_t>> tables = {{7, 3, 9}, {1, 2, 4}, {7, 3, 8},
                                                         {1, 2, 5}, {7, 6},    {1, 2}};
  std::vector<SequenceRows> sequences;
  for (std::size_t s = 0; s < tables.size(); ++s) {
    sequences.push_back({tables[s].data(), tables[s].size() * kBlockTokens - 10, 1, s});
  }
  AttentionPlan plan;
  plan.Make(sequences, {3, 3, 0, 2});
  EXPECT_EQ(RowOrder(plan), (std::vector<std::size_t>{5, 1, 3, 2, 0, 4}));
  ExpectWhole(plan);
}

TEST(AttentionPlan, OneRowIsSplitForTwoThreadsOnly) {
  const std::vector<std::int32_t> table(20);
  const SequenceRows sequence = {table.data(), 1200, 1, 0};
  AttentionPlan plan;
  plan.Make({&sequence, 1}, {7, 2, 0, 2});
  EXPECT_EQ(plan.parts().size(), 2u);
  ExpectWhole(plan);
  plan.Make({&sequence, 1}, {7, 2, 0, 1});
  EXPECT_EQ(plan.parts().size(), 1u);
}

TEST(AttentionPlan, PartsAreWholeForAnyShape) {
  std::vector<std::int32_t> table(50);
  for (const std::size_t group : {1, 2, 3, 7, 24, 25, 64}) {
    for (const std::size_t window : {0, 1, 64, 500}) {
      const std::vector<SequenceRows> sequences = {
          {table.data(), 0, 100, 0}, {table.data(), 3000, 1, 100}, {table.data(), 700, 4, 101}};
      AttentionPlan plan;
      plan.Make(sequences, {group, 2, window, 2});
      ExpectWhole(plan);
      for (std::size_t i = 1; i < plan.parts().size(); ++i) {
        EXPECT_GE(plan.parts()[i - 1].cost, plan.parts()[i].cost);
      }
    }
  }
}

TEST(AttentionPlan, OfNothingHasNoParts) {
  AttentionPlan plan;
  plan.Make({}, {3, 3, 0, 2});
  EXPECT_TRUE(plan.parts().empty());
}

}  // namespace
}  // namespace ergo::kernels
