#include "kernels/attention/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace ergo::kernels {
namespace {

struct Shape {
  KvType type;
  std::size_t head_dim;
  std::size_t heads;
  std::size_t kv_heads;
  std::size_t tokens;
  std::size_t window;
  float soft_cap;
};

/// One sequence of random rows, stored in both formats.
class Attention {
 public:
  Attention(const Shape& shape, KvType type) : shape_(shape) {
    layout_ = {type, 1, shape.kv_heads, shape.head_dim};
    const std::size_t blocks = (shape.tokens + kBlockTokens - 1) / kBlockTokens;
    arena_.reset(static_cast<std::byte*>(std::aligned_alloc(64, blocks * layout_.BlockBytes())));
    // Whatever was there before must not matter.
    std::memset(arena_.get(), 0xFF, blocks * layout_.BlockBytes());
    for (std::size_t b = 0; b < blocks; ++b)
      table_.push_back(static_cast<std::int32_t>(blocks - 1 - b));
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    const auto fill = [&](std::size_t width) {
      std::vector<float> values(shape.tokens * width);
      for (float& x : values) x = normal(random);
      return values;
    };
    queries_ = fill(shape.heads * shape.head_dim);
    keys_ = fill(shape.kv_heads * shape.head_dim);
    values_ = fill(shape.kv_heads * shape.head_dim);
    for (std::size_t i = 0; i < keys_.size(); i += shape.head_dim) keys_[i] += 20.0f;  // an outlier
  }

  /// Stores and attends to rows [first, first + count); returns their outputs.
  std::vector<float> Run(std::size_t first, std::size_t count, int threads) {
    const KvLayer kv{&layout_, arena_.get(), 0};
    const std::size_t width = shape_.heads * shape_.head_dim;
    const std::size_t kv_width = shape_.kv_heads * shape_.head_dim;
    for (std::size_t p = first; p < first + count; ++p) {
      StoreKv(kv, table_.data(), p, &keys_[p * kv_width], &values_[p * kv_width]);
    }
    AttentionParams params;
    params.heads = shape_.heads;
    params.scale = 1.0f / std::sqrt(static_cast<float>(shape_.head_dim));
    params.window = shape_.window;
    params.soft_cap = shape_.soft_cap;
    const SequenceRows rows{table_.data(), first, count, 0};
    AttentionPlan plan;
    plan.Make({&rows, 1},
              {shape_.heads / shape_.kv_heads, shape_.kv_heads, shape_.window, threads});
    std::vector<float> out(count * width, NAN);
    ComputePool pool(2);
    pool.Run(threads, [&](Worker& worker) {
      Attend(worker, kv, params, plan, {&queries_[first * width], out.data(), width});
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
  std::vector<std::int32_t> table_;
  std::vector<float> queries_;
  std::vector<float> keys_;
  std::vector<float> values_;
};

/// The most that the root of the mean square error may be, in parts of the root of the mean square.
double ErrorOf(const Shape& shape) {
  // Where an outlier is spread over few dimensions, or none, it takes more from the others.
  const bool spread = shape.head_dim >= 64 && (shape.head_dim & (shape.head_dim - 1)) == 0;
  switch (shape.type) {
    case KvType::kF32:
      return 0.0;
    case KvType::kF16:
      return 0.002;
    case KvType::kBf16:
      return 0.015;
    case KvType::kInt12:
      return 0.015;
    case KvType::kInt8:
      return spread ? 0.03 : 0.06;
    case KvType::kInt4:
      break;
  }
  return spread ? 0.3 : 0.8;
}

class TypedAttention : public ::testing::TestWithParam<Shape> {};

TEST_P(TypedAttention, IsCloseToTheReference) {
  const Shape& shape = GetParam();
  const std::vector<float> expected = Attention(shape, KvType::kF32).Run(0, shape.tokens, 2);
  const std::vector<float> out = Attention(shape, shape.type).Run(0, shape.tokens, 2);
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    difference += std::pow(static_cast<double>(out[i]) - expected[i], 2);
    size += std::pow(static_cast<double>(expected[i]), 2);
  }
  EXPECT_LT(std::sqrt(difference / size), ErrorOf(shape));
}

TEST_P(TypedAttention, DoesNotDependOnHowThePromptIsCut) {
  const Shape& shape = GetParam();
  const std::vector<float> expected = Attention(shape, shape.type).Run(0, shape.tokens, 2);
  for (const std::size_t chunk : {1, 3, 64, 100}) {
    Attention attention(shape, shape.type);
    std::vector<float> out;
    for (std::size_t at = 0; at < shape.tokens; at += chunk) {
      const auto part = attention.Run(at, std::min(chunk, shape.tokens - at), 1 + at % 2);
      out.insert(out.end(), part.begin(), part.end());
    }
    ASSERT_EQ(0, std::memcmp(out.data(), expected.data(), out.size() * sizeof(float))) << chunk;
  }
}

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (const KvType type : KvTypes()) {
    if (type == KvType::kF32) continue;
    shapes.push_back({type, 64, 9, 3, 150, 0, 0.0f});
    shapes.push_back({type, 64, 14, 2, 70, 0, 0.0f});
    shapes.push_back({type, 256, 4, 1, 140, 50, 0.0f});
    shapes.push_back({type, 128, 4, 4, 65, 0, 30.0f});
    shapes.push_back({type, 8, 2, 1, 130, 64, 0.0f});
    shapes.push_back({type, 20, 2, 2, 66, 0, 0.0f});
    shapes.push_back({type, 100, 2, 1, 130, 0, 0.0f});
  }
  return shapes;
}

INSTANTIATE_TEST_SUITE_P(Shapes, TypedAttention, ::testing::ValuesIn(Shapes()),
                         [](const auto& test) {
                           return std::string(Name(test.param.type)) + "_" +
                                  std::to_string(test.index);
                         });

}  // namespace
}  // namespace ergo::kernels
