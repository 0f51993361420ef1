#include "runtime/inspect/inspect.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "kernels/matmul/matmul.h"
#include "runtime/inspect/attention_weights.h"

namespace ergo::runtime {
namespace {

using ::testing::HasSubstr;
using Row = std::vector<double>;
using Rows = std::vector<Row>;

constexpr const char* kTinyModels[] = {"gemma3-tiny", "llama-tiny", "mistral-tiny", "qwen2-tiny",
                                       "qwen3-tiny"};

struct Tiny {
  formats::ModelFiles files;
  std::unique_ptr<model::Model> model;
};

Tiny Load(const std::string& name, kernels::PackAs pack = kernels::PackAs::kF32,
          kernels::KvType kv = kernels::KvType::kF32) {
  Tiny tiny;
  auto files = formats::Open(std::string(ERGO_SOURCE_DIR) + "/tests/golden/models/" + name);
  if (!files) {
    ADD_FAILURE() << files.error().Message();
    return tiny;
  }
  tiny.files = *std::move(files);
  model::LoadOptions options;
  options.pack = pack;
  options.kv = kv;
  auto loaded = model::Model::Load(tiny.files, options);
  EXPECT_TRUE(loaded) << loaded.error().Message();
  if (loaded) tiny.model = *std::move(loaded);
  return tiny;
}

std::vector<std::int32_t> SomeTokens(std::size_t count, std::size_t vocabulary = 211) {
  std::mt19937 random(7);
  std::vector<std::int32_t> tokens(count);
  for (auto& token : tokens) token = static_cast<std::int32_t>(random() % vocabulary);
  return tokens;
}

std::vector<std::size_t> Counted(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

InspectRequest Everything(const model::ModelConfig& config, std::size_t tokens) {
  InspectRequest request;
  request.tokens = SomeTokens(tokens, config.vocabulary);
  request.state_layers = Counted(config.layers.size() + 1);
  request.attention_layers = Counted(config.layers.size());
  request.outlooks = Counted(tokens);
  request.alternatives = 3;
  return request;
}

Result<Inspection> InspectIn(const model::Model& model, const InspectRequest& request,
                             std::size_t chunk = 512) {
  EngineOptions options;
  options.context = 128;
  options.prompt_chunk = chunk;
  auto engine = Engine::Create(model, options);
  if (!engine) return Fail(std::move(engine));
  return Inspect(**engine, request);
}

/// The models of the tests in double precision and the plainest steps, from the files' tensors.
class Scalar {
 public:
  Scalar(const Tiny& tiny, const std::vector<std::int32_t>& tokens)
      : files_(tiny.files), model_(*tiny.model), config_(tiny.model->config()) {
    const Rows embedding = Matrix("model.embed_tokens");
    for (const std::int32_t token : tokens) {
      h_.push_back(embedding[static_cast<std::size_t>(token)]);
      for (double& x : h_.back()) x *= static_cast<double>(config_.embedding_scale);
    }
    for (std::size_t layer = 0; layer < config_.layers.size(); ++layer) {
      states.push_back(h_);
      Layer(layer);
    }
    for (Row& row : h_) row = Norm(row, "model.norm");
    states.push_back(h_);
    const Rows head = config_.tied_head ? embedding : Matrix("lm_head");
    for (const Row& row : h_) logits.push_back(Times(head, row));
  }

  std::vector<Rows> states;                  ///< [layers + 1][tokens][hidden]
  std::vector<std::vector<Rows>> attention;  ///< [layers][heads][tokens][tokens]
  Rows logits;                               ///< [tokens][vocabulary]

 private:
  Rows Matrix(const std::string& name) const {
    const TensorView* tensor = files_.Find(name + ".weight");
    if (tensor == nullptr) {
      ADD_FAILURE() << name;
      return {};
    }
    const std::size_t width = static_cast<std::size_t>(tensor->shape.back());
    TensorView flat = *tensor;
    if (flat.shape.size() == 1) flat.shape.insert(flat.shape.begin(), 1);
    Rows rows;
    std::vector<float> row(width);
    for (std::int64_t i = 0; i < flat.shape[0]; ++i) {
      kernels::DecodeRow(flat, static_cast<std::size_t>(i), row.data());
      rows.emplace_back(row.begin(), row.end());
    }
    return rows;
  }

  static Row Times(const Rows& matrix, const Row& x) {
    Row y;
    for (const Row& row : matrix) {
      y.push_back(std::inner_product(row.begin(), row.end(), x.begin(), 0.0));
    }
    return y;
  }

  Row Linear(const std::string& name, const Row& x) const {
    Row y = Times(Matrix(name), x);
    const TensorView* bias = files_.Find(name + ".bias");
    if (bias == nullptr) return y;
    TensorView flat = *bias;
    flat.shape.insert(flat.shape.begin(), 1);
    std::vector<float> values(y.size());
    kernels::DecodeRow(flat, 0, values.data());
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += static_cast<double>(values[i]);
    return y;
  }

  Row Norm(Row x, const std::string& name) const {
    const Row weight = Matrix(name)[0];
    double squares = 0.0;
    for (const double value : x) squares += value * value;
    const double mean = squares / static_cast<double>(x.size());
    const double factor = 1.0 / std::sqrt(mean + static_cast<double>(config_.norm_epsilon));
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] *= factor * (weight[i] + (config_.norms_add_one ? 1.0 : 0.0));
    }
    return x;
  }

  /// Heads of a row: norm, then RoPE with halves as pairs.
  Rows Heads(Row row, const std::string& norm, std::size_t layer, std::size_t position) const {
    const std::size_t dim = config_.head_dim;
    const auto& frequencies = model_.network().ropes[config_.layers[layer].rope].frequencies();
    Rows heads;
    for (std::size_t first = 0; first < row.size(); first += dim) {
      const auto from = row.begin() + static_cast<std::ptrdiff_t>(first);
      Row head(from, from + static_cast<std::ptrdiff_t>(dim));
      if (config_.qk_norm) head = Norm(head, norm);
      for (std::size_t i = 0; i < dim / 2; ++i) {
        const double angle = static_cast<double>(position) * frequencies[i];
        const double a = head[i];
        const double b = head[i + dim / 2];
        head[i] = a * std::cos(angle) - b * std::sin(angle);
        head[i + dim / 2] = b * std::cos(angle) + a * std::sin(angle);
      }
      heads.push_back(head);
    }
    return heads;
  }

  void Layer(std::size_t layer) {
    const std::string name = fmt::format("model.layers.{}.", layer);
    const bool four = config_.post_norms;
    Attend(layer, name);
    const std::string before =
        name + (four ? "pre_feedforward_layernorm" : "post_attention_layernorm");
    for (Row& h : h_) {
      const Row x = Norm(h, before);
      const Row gate = Linear(name + "mlp.gate_proj", x);
      Row up = Linear(name + "mlp.up_proj", x);
      for (std::size_t i = 0; i < up.size(); ++i) up[i] *= Activate(gate[i]);
      Row y = Linear(name + "mlp.down_proj", up);
      if (four) y = Norm(y, name + "post_feedforward_layernorm");
      for (std::size_t i = 0; i < h.size(); ++i) h[i] += y[i];
    }
  }

  double Activate(double x) const {
    if (config_.activation == model::Activation::kSilu) return x / (1.0 + std::exp(-x));
    const double inner = std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x);
    return 0.5 * x * (1.0 + std::tanh(inner));
  }

  void Attend(std::size_t layer, const std::string& name) {
    const std::string part = name + "self_attn.";
    const std::size_t tokens = h_.size();
    const std::size_t dim = config_.head_dim;
    std::vector<Rows> q, k, v;
    for (std::size_t t = 0; t < tokens; ++t) {
      const Row x = Norm(h_[t], name + "input_layernorm");
      q.push_back(Heads(Linear(part + "q_proj", x), part + "q_norm", layer, t));
      k.push_back(Heads(Linear(part + "k_proj", x), part + "k_norm", layer, t));
      v.push_back({Linear(part + "v_proj", x)});
    }
    const std::size_t window = config_.layers[layer].window;
    attention.emplace_back(config_.heads, Rows(tokens, Row(tokens)));
    for (std::size_t t = 0; t < tokens; ++t) {
      Row mixed;
      for (std::size_t head = 0; head < config_.heads; ++head) {
        const std::size_t kv = head * config_.kv_heads / config_.heads;
        Row& weights = attention.back()[head][t];
        double sum = 0.0;
        for (std::size_t s = 0; s <= t; ++s) {
          if (window != 0 && s + window <= t) continue;
          const double dot =
              std::inner_product(q[t][head].begin(), q[t][head].end(), k[s][kv].begin(), 0.0);
          weights[s] = std::exp(dot * static_cast<double>(config_.attention_scale));
          sum += weights[s];
        }
        for (double& weight : weights) weight /= sum;
        for (std::size_t i = 0; i < dim; ++i) {
          double out = 0.0;
          for (std::size_t s = 0; s <= t; ++s) out += weights[s] * v[s][0][kv * dim + i];
          mixed.push_back(out);
        }
      }
      Row y = Linear(part + "o_proj", mixed);
      if (config_.post_norms) y = Norm(y, name + "post_attention_layernorm");
      for (std::size_t i = 0; i < y.size(); ++i) h_[t][i] += y[i];
    }
  }

  const formats::ModelFiles& files_;
  const model::Model& model_;
  const model::ModelConfig& config_;
  Rows h_;
};

TEST(Inspect, IsWhatAPlainComputationGives) {
  for (const char* name : kTinyModels) {
    SCOPED_TRACE(name);
    constexpr std::size_t kTokens = 50;  // more than the windows
    const Tiny tiny = Load(name);
    ASSERT_NE(tiny.model, nullptr);
    const model::ModelConfig& config = tiny.model->config();
    const InspectRequest request = Everything(config, kTokens);
    const auto seen = InspectIn(*tiny.model, request);
    ASSERT_TRUE(seen) << seen.error().Message();
    const Scalar expected(tiny, request.tokens);

    double off = 0.0;
    std::size_t at = 0;
    for (const Rows& layer : expected.states) {
      for (const Row& row : layer) {
        for (const double value : row) {
          off = std::max(off, std::abs(value - static_cast<double>(seen->states[at++])) /
                                  (1.0 + std::abs(value)));
        }
      }
    }
    EXPECT_EQ(at, seen->states.size());
    EXPECT_LT(off, 5e-5);

    off = 0.0;
    at = 0;
    for (const auto& layer : expected.attention) {
      for (const Rows& head : layer) {
        for (const Row& row : head) {
          for (const double value : row) {
            off = std::max(off, std::abs(value - static_cast<double>(seen->attention[at++])));
          }
        }
      }
    }
    EXPECT_EQ(at, seen->attention.size());
    EXPECT_LT(off, 2e-5);

    for (std::size_t t = 0; t < kTokens; ++t) {
      const Row& logits = expected.logits[t];
      double sum = 0.0;
      for (const double logit : logits) sum += std::exp(logit);
      double entropy = 0.0;
      for (const double logit : logits) {
        entropy -= std::exp(logit) / sum * (logit - std::log(sum));
      }
      const Outlook& outlook = seen->outlooks[t];
      EXPECT_NEAR(outlook.entropy, entropy, 2e-4);
      ASSERT_EQ(outlook.top.size(), 3u);
      Row sorted = logits;
      std::sort(sorted.rbegin(), sorted.rend());
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(outlook.top[i].logprob, sorted[i] - std::log(sum), 2e-4);
        const double own = logits[static_cast<std::size_t>(outlook.top[i].token)];
        EXPECT_NEAR(own, sorted[i], 2e-4);
      }
      ASSERT_EQ(outlook.next_logprob.has_value(), t + 1 < kTokens);
      if (t + 1 == kTokens) continue;
      const auto next = static_cast<std::size_t>(request.tokens[t + 1]);
      EXPECT_NEAR(*outlook.next_logprob, logits[next] - std::log(sum), 2e-4);
    }
  }
}

TEST(Inspect, DoesNotDependOnTheChunk) {
  for (const kernels::PackAs pack : {kernels::PackAs::kF32, kernels::PackAs::kInt8}) {
    const Tiny tiny = Load("gemma3-tiny", pack, kernels::KvType::kInt8);
    ASSERT_NE(tiny.model, nullptr);
    const InspectRequest request = Everything(tiny.model->config(), 70);
    const auto whole = InspectIn(*tiny.model, request);
    ASSERT_TRUE(whole) << whole.error().Message();
    for (const std::size_t chunk : {1u, 2u, 3u, 17u, 64u}) {
      const auto cut = InspectIn(*tiny.model, request, chunk);
      ASSERT_TRUE(cut);
      EXPECT_EQ(cut->states, whole->states) << chunk;
      EXPECT_EQ(cut->attention, whole->attention) << chunk;
      for (std::size_t t = 0; t < whole->outlooks.size(); ++t) {
        EXPECT_EQ(cut->outlooks[t].entropy, whole->outlooks[t].entropy) << chunk;
      }
    }
  }
}

TEST(Inspect, GivesWhatIsAskedForInItsOrder) {
  const Tiny tiny = Load("gemma3-tiny");
  ASSERT_NE(tiny.model, nullptr);
  const model::ModelConfig& config = tiny.model->config();
  const std::size_t tokens = 45;
  const auto all = InspectIn(*tiny.model, Everything(config, tokens));
  ASSERT_TRUE(all);
  InspectRequest request;
  request.tokens = SomeTokens(tokens, config.vocabulary);
  request.positions = {40, 3, 17};
  request.state_layers = {3, 0};
  request.attention_layers = {2, 1};
  request.heads = {3, 1};
  request.outlooks = {5, 2};
  const auto some = InspectIn(*tiny.model, request);
  ASSERT_TRUE(some) << some.error().Message();
  EXPECT_EQ(some->positions, request.positions);
  const auto slice = [](const std::vector<float>& values, std::size_t row, std::size_t width) {
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(row * width);
    return std::vector<float>(from, from + static_cast<std::ptrdiff_t>(width));
  };
  for (std::size_t p = 0; p < 3; ++p) {
    const std::size_t position = request.positions[p];
    for (std::size_t l = 0; l < 2; ++l) {
      EXPECT_EQ(slice(some->states, l * 3 + p, config.hidden),
                slice(all->states, request.state_layers[l] * tokens + position, config.hidden));
      for (std::size_t h = 0; h < 2; ++h) {
        const std::size_t layer_head = request.attention_layers[l] * config.heads;
        EXPECT_EQ(
            slice(some->attention, (l * 2 + h) * 3 + p, tokens),
            slice(all->attention, (layer_head + request.heads[h]) * tokens + position, tokens));
      }
    }
  }
  EXPECT_EQ(some->outlooks[0].entropy, all->outlooks[5].entropy);
  EXPECT_EQ(some->outlooks[1].next_logprob, all->outlooks[2].next_logprob);
  EXPECT_TRUE(some->outlooks[0].top.empty());
}

TEST(Inspect, AttentionIsADistributionOverWhatIsSeen) {
  const Tiny tiny = Load("mistral-tiny");
  ASSERT_NE(tiny.model, nullptr);
  constexpr std::size_t kTokens = 60;
  constexpr std::size_t kWindow = 40;
  const auto seen = InspectIn(*tiny.model, Everything(tiny.model->config(), kTokens));
  ASSERT_TRUE(seen);
  for (std::size_t row = 0; row * kTokens < seen->attention.size(); ++row) {
    const std::size_t position = row % kTokens;
    double sum = 0.0;
    for (std::size_t t = 0; t < kTokens; ++t) {
      const float weight = seen->attention[row * kTokens + t];
      const bool visible = t <= position && t + kWindow > position;
      EXPECT_EQ(weight > 0.0f, visible) << position << " " << t;
      sum += static_cast<double>(weight);
    }
    EXPECT_NEAR(sum, 1.0, 1e-5);
  }
}

TEST(AttentionWeights, CapsScoresAndCountsSinks) {
  const float query[] = {2.0f, 1.0f};
  const float keys[] = {1.0f, 0.0f, 9.0f, 0.0f, 1.0f, 9.0f};  // two KV heads of one dimension pair
  const float sinks[] = {-100.0f, 0.5f};
  kernels::AttentionParams params;
  params.scale = 0.5f;
  params.soft_cap = 3.0f;
  params.sinks = sinks;
  HeadQuery of = {query, keys, 4, 2, 1, 1};
  std::vector<double> scratch(3);
  std::vector<float> weights(3, 7.0f);
  AttentionWeights(params, of, scratch, weights);
  // Keys (1, 0) and (1, 9): scores 1 and 5.5 before the cap.
  const double first = std::exp(3.0 * std::tanh(1.0 / 3.0));
  const double second = std::exp(3.0 * std::tanh(5.5 / 3.0));
  const double sum = first + second + std::exp(0.5);
  EXPECT_NEAR(weights[0], first / sum, 1e-6);
  EXPECT_NEAR(weights[1], second / sum, 1e-6);
  EXPECT_EQ(weights[2], 0.0f);
  params.window = 1;
  AttentionWeights(params, of, scratch, weights);
  EXPECT_EQ(weights[0], 0.0f);
  EXPECT_NEAR(weights[1], second / (second + std::exp(0.5)), 1e-6);
}

TEST(Inspect, RefusesWhatIsNotThere) {
  const Tiny tiny = Load("llama-tiny");
  ASSERT_NE(tiny.model, nullptr);
  const auto refusal = [&](auto change) {
    InspectRequest request = Everything(tiny.model->config(), 10);
    change(request);
    const auto seen = InspectIn(*tiny.model, request);
    return seen ? std::string() : seen.error().Message();
  };
  using R = InspectRequest;
  EXPECT_EQ(refusal([](R&) {}), "");
  EXPECT_THAT(refusal([](R& r) { r.tokens.clear(); }), HasSubstr("no tokens"));
  EXPECT_THAT(refusal([](R& r) { r.tokens.resize(129); }), HasSubstr("context of 128"));
  EXPECT_THAT(refusal([](R& r) { r.tokens[3] = 9999; }), HasSubstr("no token 9999"));
  EXPECT_THAT(refusal([](R& r) { r.positions = {10}; }), HasSubstr("position 10"));
  EXPECT_THAT(refusal([](R& r) { r.positions = {1, 1}; }), HasSubstr("position 1 is named twice"));
  EXPECT_THAT(refusal([](R& r) { r.state_layers = {3}; }), HasSubstr("layer 3"));
  EXPECT_THAT(refusal([](R& r) { r.attention_layers = {2}; }), HasSubstr("attention layer 2"));
  EXPECT_THAT(refusal([](R& r) { r.heads = {6}; }), HasSubstr("choose from 0 to 5"));
  EXPECT_THAT(refusal([](R& r) { r.outlooks = {10}; }), HasSubstr("position 10"));
  EXPECT_THAT(refusal([](R& r) { r.alternatives = -1; }), HasSubstr("top_logprobs"));
  EXPECT_THAT(refusal([](R& r) { r.most_bytes = 1000; }), HasSubstr("choose fewer layers"));
}

TEST(Inspect, LeavesTheEngineAsItWas) {
  const Tiny tiny = Load("llama-tiny");
  ASSERT_NE(tiny.model, nullptr);
  EngineOptions options;
  options.context = 128;
  auto engine = Engine::Create(*tiny.model, options);
  ASSERT_TRUE(engine);
  const std::size_t room = (*engine)->room();
  InspectRequest request = Everything(tiny.model->config(), 100);
  ASSERT_TRUE(Inspect(**engine, request));
  request.tokens[90] = -1;
  ASSERT_FALSE(Inspect(**engine, request));
  EXPECT_EQ((*engine)->room(), room);
  // Nobody looks on any more: what did would be gone.
  const SequenceId sequence = (*engine)->Add();
  EXPECT_TRUE((*engine)->Append(sequence, SomeTokens(5)));
}

}  // namespace
}  // namespace ergo::runtime
