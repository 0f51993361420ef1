// Branches that share blocks are attended to together, with the bits that each has alone.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/attention/attention.h"

namespace ergo::kernels {
namespace {

struct Shape {
  KvType type;
  std::size_t head_dim;
  std::size_t heads;
  std::size_t kv_heads;
  std::size_t window;
};

/// Sequences over blocks of random tokens, of which forks share the full ones.
class Forest {
 public:
  struct Sequence {
    std::vector<std::int32_t> blocks;
    std::size_t length = 0;
  };

  explicit Forest(const Shape& shape) : shape_(shape) {
    layout_ = {shape.type, 1, shape.kv_heads, shape.head_dim};
    constexpr std::size_t kBlocks = 400;
    const std::size_t bytes = kBlocks * layout_.BlockBytes();
    arena_.reset(static_cast<std::byte*>(std::aligned_alloc(64, bytes)));
    std::memset(arena_.get(), 0xFF, bytes);
  }

  KvLayer layer() const { return {&layout_, arena_.get(), 0}; }

  void Append(Sequence& sequence, std::size_t tokens) {
    const std::size_t width = shape_.kv_heads * shape_.head_dim;
    for (std::size_t i = 0; i < tokens; ++i, ++sequence.length) {
      if (sequence.length % kBlockTokens == 0) sequence.blocks.push_back(next_block_++);
      const std::vector<float> key = Random(width);
      const std::vector<float> value = Random(width);
      StoreKv(layer(), sequence.blocks.data(), sequence.length, key.data(), value.data());
    }
  }

  /// Shares the full blocks and has a copy of the open one.
  Sequence Fork(const Sequence& origin, std::size_t length) {
    Sequence fork;
    fork.length = length;
    fork.blocks.assign(origin.blocks.begin(),
                       origin.blocks.begin() +
                           static_cast<std::ptrdiff_t>((length + kBlockTokens - 1) / kBlockTokens));
    if (length % kBlockTokens != 0) {
      const std::size_t bytes = layout_.BlockBytes();
      std::memcpy(arena_.get() + static_cast<std::size_t>(next_block_) * bytes,
                  arena_.get() + static_cast<std::size_t>(fork.blocks.back()) * bytes, bytes);
      fork.blocks.back() = next_block_++;
    }
    return fork;
  }

  std::vector<float> Random(std::size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& x : values) x = normal(random_);
    return values;
  }

  /// Attention of all rows in one step; q and the result are [rows, heads · head_dim].
  std::vector<float> Attend(const std::vector<SequenceRows>& sequences, const std::vector<float>& q,
                            int threads) const {
    AttentionParams params;
    params.heads = shape_.heads;
    params.scale = 1.0f / std::sqrt(static_cast<float>(shape_.head_dim));
    params.window = shape_.window;
    AttentionPlan plan;
    plan.Make(sequences, {shape_.heads / shape_.kv_heads, shape_.kv_heads, shape_.window, threads});
    std::vector<float> out(q.size(), NAN);
    ComputePool pool(2);
    pool.Run(threads, [&](Worker& worker) {
      kernels::Attend(worker, layer(), params, plan,
                      {q.data(), out.data(), shape_.heads * shape_.head_dim});
    });
    return out;
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  Shape shape_;
  KvLayout layout_;
  std::unique_ptr<std::byte, Free> arena_;
  std::int32_t next_block_ = 0;
  std::mt19937 random_{5};
};

class SharedPrefix : public ::testing::TestWithParam<Shape> {};

TEST_P(SharedPrefix, HasTheBitsOfEachBranchAlone) {
  const Shape& shape = GetParam();
  Forest forest(shape);
  // A tree of depth 5 with forks at odd places, at a block's end and behind the open block; the
  // inner nodes take part too.
  std::vector<Forest::Sequence> tree(1);
  forest.Append(tree[0], 200);
  std::size_t level_begin = 0;
  for (const std::size_t back : {0, 7, 64, 1, 30}) {
    const std::size_t level_end = tree.size();
    for (std::size_t i = level_begin; i < level_end; ++i) {
      for (std::size_t child = 0; child < 2; ++child) {
        tree.push_back(forest.Fork(tree[i], tree[i].length - child * back));
        forest.Append(tree.back(), 37 + 5 * child);
      }
    }
    level_begin = level_end;
  }
  ASSERT_EQ(tree.size(), 63u);
  // Strangers, and a branch of several rows beside those of one.
  tree.emplace_back();
  forest.Append(tree.back(), 300);
  tree.emplace_back();
  forest.Append(tree.back(), 1);

  const std::size_t width = shape.heads * shape.head_dim;
  std::vector<SequenceRows> sequences;
  std::size_t rows = 0;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    // In an order in which branches of one parent are far apart.
    const Forest::Sequence& sequence = tree[i * 17 % tree.size()];
    const std::size_t count = std::min<std::size_t>(sequence.length, i % 9 == 0 ? 40 : 1 + i % 2);
    sequences.push_back({sequence.blocks.data(), sequence.length - count, count, rows});
    rows += count;
  }
  const std::vector<float> q = forest.Random(rows * width);
  for (const int threads : {1, 2}) {
    const std::vector<float> together = forest.Attend(sequences, q, threads);
    for (const SequenceRows& sequence : sequences) {
      for (std::size_t row = 0; row < sequence.rows; ++row) {
        const std::vector<SequenceRows> one = {
            {sequence.blocks, sequence.first_position + row, 1, 0}};
        const std::size_t at = (sequence.first_row + row) * width;
        const std::vector<float> alone =
            forest.Attend(one,
                          {q.begin() + static_cast<std::ptrdiff_t>(at),
                           q.begin() + static_cast<std::ptrdiff_t>(at + width)},
                          1);
        ASSERT_EQ(0, std::memcmp(alone.data(), &together[at], width * sizeof(float)))
            << "row " << row << " at position " << sequence.first_position << ", threads "
            << threads;
      }
    }
  }
}

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (const KvType type : KvTypes()) {
    shapes.push_back({type, 64, 9, 3, 0});
    shapes.push_back({type, 64, 14, 2, 0});
    shapes.push_back({type, 256, 4, 1, 100});
    shapes.push_back({type, 20, 4, 4, 64});
  }
  return shapes;
}

INSTANTIATE_TEST_SUITE_P(Shapes, SharedPrefix, ::testing::ValuesIn(Shapes()), [](const auto& test) {
  return std::string(Name(test.param.type)) + "_" + std::to_string(test.index);
});

}  // namespace
}  // namespace ergo::kernels
