#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "kernels/attention/attention.h"

namespace ergo::kernels {
namespace {

struct FreeMemory {
  void operator()(std::byte* p) const { std::free(p); }
};

/// One sequence whose blocks lie in the arena in a shuffled order.
class Fixture {
 public:
  Fixture(std::size_t tokens, std::size_t heads, std::size_t kv_heads, std::size_t head_dim)
      : tokens_(tokens), heads_(heads) {
    layout_ = {KvType::kF32, 2, kv_heads, head_dim};
    const std::size_t blocks = (tokens + kBlockTokens - 1) / kBlockTokens;
    for (std::size_t b = 0; b < blocks; ++b) {
      blocks_.push_back(static_cast<std::int32_t>((b * 5 + 3) % (blocks + 4)));
    }
    std::sort(blocks_.begin(), blocks_.end());
    blocks_.erase(std::unique(blocks_.begin(), blocks_.end()), blocks_.end());
    for (std::int32_t next = 0; blocks_.size() < blocks; ++next) {
      if (std::find(blocks_.begin(), blocks_.end(), next) == blocks_.end()) blocks_.push_back(next);
    }
    std::mt19937 random(11);
    std::shuffle(blocks_.begin(), blocks_.end(), random);
    const std::size_t bytes = (blocks + 4) * layout_.BlockBytes();
    arena_.reset(static_cast<std::byte*>(std::aligned_alloc(64, bytes)));
    std::memset(arena_.get(), 0xFF, bytes);  // NaN: what is never stored must never be read
    std::normal_distribution<float> normal;
    for (auto* values : {&keys_, &values_}) {
      values->resize(tokens * kv_heads * head_dim);
      for (float& x : *values) x = normal(random);
    }
    q_.resize(tokens * heads * head_dim);
    for (float& x : q_) x = normal(random);
    for (std::size_t t = 0; t < tokens; ++t) {
      StoreKv(layer(), blocks_.data(), t, &keys_[t * kv_heads * head_dim],
              &values_[t * kv_heads * head_dim]);
    }
  }

  KvLayer layer() const { return {&layout_, arena_.get(), 1}; }

  /// The rows from `first` on, cut into pieces of `piece` rows.
  std::vector<float> Attend(AttentionParams params, std::size_t first, std::size_t piece,
                            int threads = 1) const {
    const std::size_t stride = heads_ * layout_.head_dim;
    std::vector<float> out(tokens_ * stride);
    std::vector<SequenceRows> rows;
    for (std::size_t begin = first; begin < tokens_; begin += piece) {
      rows.push_back({blocks_.data(), begin, std::min(piece, tokens_ - begin), begin});
    }
    params.heads = heads_;
    AttentionPlan plan;
    plan.Make(rows, {heads_ / layout_.kv_heads, layout_.kv_heads, params.window, threads});
    ComputePool pool(threads);
    pool.Run(threads, [&](Worker& worker) {
      kernels::Attend(worker, layer(), params, plan, {q_.data(), out.data(), stride});
    });
    return out;
  }

  /// Softmax over all scores at once, in double precision.
  double Expected(const AttentionParams& params, std::size_t row, std::size_t head,
                  std::size_t column) const {
    const std::size_t d = layout_.head_dim;
    const std::size_t kv_head = head / (heads_ / layout_.kv_heads);
    double sum = 0.0;
    double weighted = 0.0;
    if (params.sinks != nullptr) sum = std::exp(static_cast<double>(params.sinks[head]));
    for (std::size_t t = 0; t <= row; ++t) {
      if (params.window != 0 && t + params.window <= row) continue;
      double score = 0.0;
      const std::size_t at = (t * layout_.kv_heads + kv_head) * d;
      for (std::size_t i = 0; i < d; ++i) {
        score += static_cast<double>(q_[(row * heads_ + head) * d + i]) * keys_[at + i];
      }
      score *= params.scale;
      if (params.soft_cap != 0.0f) score = params.soft_cap * std::tanh(score / params.soft_cap);
      const double weight = std::exp(score);
      sum += weight;
      weighted += weight * values_[at + column];
    }
    return weighted / sum;
  }

  void Check(const AttentionParams& params) const {
    const std::vector<float> out = Attend(params, 0, tokens_);
    for (std::size_t row = 0; row < tokens_; row += 7) {
      for (std::size_t head = 0; head < heads_; ++head) {
        for (std::size_t i = 0; i < layout_.head_dim; i += 5) {
          ASSERT_NEAR(out[(row * heads_ + head) * layout_.head_dim + i],
                      Expected(params, row, head, i), 2e-5)
              << "row " << row << " head " << head;
        }
      }
    }
  }

 private:
  std::size_t tokens_;
  std::size_t heads_;
  KvLayout layout_;
  std::vector<std::int32_t> blocks_;
  std::unique_ptr<std::byte[], FreeMemory> arena_;
  std::vector<float> q_;
  std::vector<float> keys_;
  std::vector<float> values_;
};

TEST(AttentionF32, Causal) {
  AttentionParams params;
  params.scale = 0.25f;
  Fixture(150, 4, 2, 16).Check(params);
  Fixture(64, 7, 1, 12).Check(params);
  Fixture(1, 1, 1, 4).Check(params);
}

TEST(AttentionF32, Window) {
  AttentionParams params;
  params.scale = 0.25f;
  for (const std::size_t window : {1, 40, 64, 65, 130, 1000}) {
    params.window = window;
    Fixture(200, 4, 4, 16).Check(params);
  }
}

TEST(AttentionF32, SoftCapAndSinks) {
  AttentionParams params;
  params.scale = 0.5f;
  params.soft_cap = 1.5f;
  Fixture(100, 4, 2, 16).Check(params);
  const float sinks[] = {0.5f, -1.0f, 4.0f, 0.0f};
  params.sinks = sinks;
  Fixture(100, 4, 2, 16).Check(params);
}

TEST(AttentionF32, LargeScoresStayFinite) {
  AttentionParams params;
  params.scale = 1000.0f;
  for (const float x : Fixture(70, 2, 1, 8).Attend(params, 0, 70)) ASSERT_TRUE(std::isfinite(x));
}

TEST(AttentionF32, SameBitsHoweverTheRowsAreCut) {
  const Fixture fixture(200, 4, 2, 16);
  AttentionParams params;
  params.scale = 0.25f;
  params.window = 90;
  const std::vector<float> whole = fixture.Attend(params, 0, 200);
  for (const std::size_t piece : {1, 7, 64, 100}) {
    for (const int threads : {1, 2}) {
      const std::vector<float> cut = fixture.Attend(params, 0, piece, threads);
      EXPECT_EQ(0, std::memcmp(whole.data(), cut.data(), whole.size() * sizeof(float)))
          << "pieces of " << piece << ", threads " << threads;
    }
  }
}

}  // namespace
}  // namespace ergo::kernels
