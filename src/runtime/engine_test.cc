#include "runtime/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/softmax/softmax.h"

namespace ergo::runtime {
namespace {

using kernels::PackAs;
using ::testing::HasSubstr;

constexpr const char* kTinyModels[] = {"gemma3-tiny", "llama-tiny", "mistral-tiny", "qwen2-tiny",
                                       "qwen3-tiny"};

std::string GoldenFolder(const std::string& name) {
  return std::string(ERGO_SOURCE_DIR) + "/tests/golden/models/" + name;
}

std::unique_ptr<model::Model> Load(const std::string& path, PackAs pack,
                                   kernels::KvType kv = kernels::KvType::kF32) {
  auto files = formats::Open(path);
  EXPECT_TRUE(files) << files.error().Message();
  if (!files) return nullptr;
  model::LoadOptions options;
  options.pack = pack;
  options.kv = kv;
  auto loaded = model::Model::Load(*files, options);
  EXPECT_TRUE(loaded) << loaded.error().Message();
  return loaded ? *std::move(loaded) : nullptr;
}

std::unique_ptr<Engine> MakeEngine(const model::Model& model, EngineOptions options = {}) {
  auto engine = Engine::Create(model, options);
  EXPECT_TRUE(engine) << engine.error().Message();
  return engine ? *std::move(engine) : nullptr;
}

std::vector<std::int32_t> RandomTokens(std::size_t count, unsigned seed, std::size_t vocabulary) {
  std::mt19937 random(seed);
  std::vector<std::int32_t> tokens(count);
  for (auto& token : tokens) token = static_cast<std::int32_t>(random() % vocabulary);
  return tokens;
}

/// Logits of all tokens of a new sequence, in one call.
std::vector<float> AllLogits(Engine& engine, std::span<const std::int32_t> tokens) {
  const Work work = {engine.Add(), tokens, LogitRows::kAll};
  auto logits = engine.Step({&work, 1});
  EXPECT_TRUE(logits) << logits.error().Message();
  if (!logits) return {};
  std::vector<float> values(logits->values.begin(), logits->values.end());
  engine.Release(work.sequence);
  return values;
}

struct Expected {
  std::vector<std::int32_t> tokens;
  std::size_t every = 1;
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> greedy;
  std::vector<float> logits;
};

Expected ReadExpected(const std::string& folder) {
  Expected expected;
  const auto text = ReadFile(folder + "/expected_tokens.json", 1 << 20);
  const auto json = ParseJson(text.value(), folder);
  expected.tokens = json->at("tokens").get<std::vector<std::int32_t>>();
  expected.every = json->at("every").get<std::size_t>();
  expected.prompt = json->at("greedy").at("prompt").get<std::vector<std::int32_t>>();
  expected.greedy = json->at("greedy").at("tokens").get<std::vector<std::int32_t>>();
  const auto bytes = ReadFile(folder + "/expected_logits.f32", 1 << 20);
  expected.logits.resize(bytes->size() / sizeof(float));
  std::memcpy(expected.logits.data(), bytes->data(), bytes->size());
  return expected;
}

class TinyModel : public ::testing::TestWithParam<const char*> {};

TEST_P(TinyModel, HasTheLogitsOfTransformers) {
  const Expected expected = ReadExpected(GoldenFolder(GetParam()));
  for (const PackAs pack : {PackAs::kF32, PackAs::kSource}) {
    const auto model = Load(GoldenFolder(GetParam()), pack);
    ASSERT_NE(model, nullptr);
    const auto engine = MakeEngine(*model);
    const std::vector<float> logits = AllLogits(*engine, expected.tokens);
    const std::size_t vocabulary = model->config().vocabulary;
    const std::size_t rows = (expected.tokens.size() + expected.every - 1) / expected.every;
    ASSERT_EQ(expected.logits.size(), rows * vocabulary);
    double worst = 0.0;
    for (std::size_t i = 0; i < expected.logits.size(); ++i) {
      const std::size_t row = i / vocabulary * expected.every;
      const float actual = logits[row * vocabulary + i % vocabulary];
      worst = std::max(worst, std::fabs(static_cast<double>(actual) - expected.logits[i]));
    }
    EXPECT_LE(worst, 2e-4);
  }
}

TEST_P(TinyModel, HasTheGreedyTokensOfTransformers) {
  const Expected expected = ReadExpected(GoldenFolder(GetParam()));
  const auto model = Load(GoldenFolder(GetParam()), PackAs::kF32);
  ASSERT_NE(model, nullptr);
  const auto engine = MakeEngine(*model);
  const SequenceId sequence = engine->Add();
  std::vector<std::int32_t> next = expected.prompt;
  std::vector<std::int32_t> tokens;
  while (tokens.size() < expected.greedy.size()) {
    const Work work = {sequence, next, LogitRows::kLast};
    const auto logits = engine->Step({&work, 1});
    ASSERT_TRUE(logits) << logits.error().Message();
    const auto row = logits->Row(0);
    next = {static_cast<std::int32_t>(kernels::ArgMax(row.data(), row.size()))};
    tokens.push_back(next[0]);
  }
  EXPECT_EQ(tokens, expected.greedy);
}

INSTANTIATE_TEST_SUITE_P(All, TinyModel, ::testing::ValuesIn(kTinyModels));

// ---- Batch invariance: the same bits for a row, whatever runs beside it ----

struct InvarianceCase {
  std::string model;
  PackAs pack;
  kernels::KvType kv = kernels::KvType::kInt8;
};

std::vector<InvarianceCase> InvarianceCases() {
  std::vector<InvarianceCase> cases;
  for (const char* name : kTinyModels) {
    cases.push_back({GoldenFolder(name), PackAs::kF32, kernels::KvType::kF32});
    for (const PackAs pack : {PackAs::kSource, PackAs::kInt8, PackAs::kInt4}) {
      cases.push_back({GoldenFolder(name), pack});
    }
    for (const kernels::KvType kv : kernels::KvTypes()) {
      cases.push_back({GoldenFolder(name), PackAs::kSource, kv});
    }
  }
  // A real model, if there is one: its formats have kernels that the small ones don't reach.
  if (const char* path = std::getenv("ERGO_TEST_MODEL_SMOLLM2")) {
    cases.push_back({path, PackAs::kSource});
  }
  return cases;
}

class Invariance : public ::testing::TestWithParam<InvarianceCase> {
 protected:
  void SetUp() override {
    model_ = Load(GetParam().model, GetParam().pack, GetParam().kv);
    ASSERT_NE(model_, nullptr);
    vocabulary_ = model_->config().vocabulary;
  }

  std::unique_ptr<Engine> EngineOf(std::size_t chunk, int threads) {
    EngineOptions options;
    options.context = 256;
    options.sequences = 64;
    options.prompt_chunk = chunk;
    options.threads = threads;
    options.pool = &pool_;
    return MakeEngine(*model_, options);
  }

  bool Same(std::span<const float> a, std::span<const float> b) const {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
  }

  ComputePool pool_{2};
  std::unique_ptr<model::Model> model_;
  std::size_t vocabulary_ = 0;
};

TEST_P(Invariance, OfChunksAndThreads) {
  const auto tokens = RandomTokens(150, 3, vocabulary_);
  const std::vector<float> whole = AllLogits(*EngineOf(512, 1), tokens);
  const auto compare = [&](std::size_t chunk, int threads) {
    EXPECT_TRUE(Same(whole, AllLogits(*EngineOf(chunk, threads), tokens)))
        << "chunks of " << chunk << ", threads " << threads;
  };
  for (const std::size_t chunk : {1, 2, 7, 16, 63, 64, 65, 100}) compare(chunk, 1);
  for (const std::size_t chunk : {5, 64, 512}) compare(chunk, 2);
}

TEST_P(Invariance, OfTheRowsBeside) {
  constexpr std::size_t kMost = 64;
  std::vector<std::vector<std::int32_t>> prompts;
  std::vector<std::vector<float>> alone;  // last prompt token and the token after it
  const auto single = EngineOf(512, 1);
  for (unsigned i = 0; i < kMost; ++i) {
    prompts.push_back(RandomTokens(1 + i * 5 % 70, 100 + i, vocabulary_));
    const auto next = RandomTokens(1, 200 + i, vocabulary_);
    const SequenceId sequence = single->Add();
    std::vector<float> both;
    for (const auto& part : {prompts.back(), next}) {
      const Work work = {sequence, part, LogitRows::kLast};
      const auto logits = single->Step({&work, 1});
      ASSERT_TRUE(logits);
      both.insert(both.end(), logits->values.begin(), logits->values.end());
    }
    alone.push_back(both);
    single->Release(sequence);
  }
  for (const std::size_t count : {2, 7, 16, 64}) {
    for (const int threads : {1, 2}) {
      const auto engine = EngineOf(512, threads);
      std::vector<SequenceId> ids;
      for (std::size_t i = 0; i < count; ++i) ids.push_back(engine->Add());
      for (const std::size_t step : {0, 1}) {
        std::vector<Work> works;
        std::vector<std::vector<std::int32_t>> tokens;
        for (unsigned i = 0; i < count; ++i) {
          tokens.push_back(step == 0 ? prompts[i] : RandomTokens(1, 200 + i, vocabulary_));
        }
        for (std::size_t i = 0; i < count; ++i) {
          works.push_back({ids[i], tokens[i], LogitRows::kLast});
        }
        const auto logits = engine->Step(works);
        ASSERT_TRUE(logits) << logits.error().Message();
        for (std::size_t i = 0; i < count; ++i) {
          EXPECT_TRUE(
              Same(std::span(alone[i]).subspan(step * vocabulary_, vocabulary_), logits->Row(i)))
              << "sequence " << i << " of " << count << ", step " << step << ", threads "
              << threads;
        }
      }
    }
  }
}

TEST_P(Invariance, OfForks) {
  const auto prefix = RandomTokens(150, 3, vocabulary_);
  const auto engine = EngineOf(512, 2);
  const SequenceId origin = engine->Add();
  ASSERT_TRUE(engine->Append(origin, prefix));

  // Forks in the open block, at a block's end and at the start; forks of forks; all in one step.
  struct Branch {
    SequenceId id;
    std::vector<std::int32_t> tokens;
    std::size_t added;
  };
  std::vector<Branch> branches = {{origin, prefix, 0}};
  for (const std::size_t length : {150, 150, 149, 130, 128, 64, 0}) {
    const auto fork = engine->Fork(origin, length);
    ASSERT_TRUE(fork) << fork.error().Message();
    EXPECT_EQ(engine->Length(*fork), length);
    branches.push_back({*fork, {prefix.begin(), prefix.begin() + length}, 0});
  }
  for (unsigned round = 0; round < 3; ++round) {
    std::vector<Work> works;
    std::vector<std::vector<std::int32_t>> more;
    for (unsigned i = 0; i < branches.size(); ++i) {
      more.push_back(RandomTokens(1 + i * 11 % 30, 300 + 10 * round + i, vocabulary_));
    }
    for (std::size_t i = 0; i < branches.size(); ++i) {
      Branch& branch = branches[i];
      branch.tokens.insert(branch.tokens.end(), more[i].begin(), more[i].end());
      branch.added = more[i].size();
      works.push_back({branch.id, more[i], LogitRows::kAll});
    }
    const auto logits = engine->Step(works);
    ASSERT_TRUE(logits) << logits.error().Message();
    std::size_t row = 0;
    for (const Branch& branch : branches) {
      const std::vector<float> alone = AllLogits(*EngineOf(512, 1), branch.tokens);
      const std::size_t from = (branch.tokens.size() - branch.added) * vocabulary_;
      EXPECT_TRUE(Same(std::span(alone).subspan(from),
                       logits->values.subspan(row * vocabulary_, branch.added * vocabulary_)))
          << "round " << round << ", sequence " << branch.id;
      row += branch.added;
    }
    // What the origin held is not needed any more, and two branches fork again where they stand.
    if (round == 0) engine->Release(origin);
    if (round == 0) branches.erase(branches.begin());
    if (round != 1) continue;
    for (const std::size_t i : {0, 3}) {
      const auto fork = engine->Fork(branches[i].id, branches[i].tokens.size());
      ASSERT_TRUE(fork);
      branches.push_back({*fork, branches[i].tokens, 0});
    }
  }
  for (const Branch& branch : branches) engine->Release(branch.id);
  EXPECT_EQ(engine->kv_bytes_used(), 0u);
}

TEST_P(Invariance, OfATreeOfBranches) {
  std::map<std::size_t, std::vector<float>> alone;
  for (const int threads : {1, 2}) {
    const auto engine = EngineOf(512, threads);
    struct Branch {
      SequenceId id;
      std::vector<std::int32_t> tokens;
    };
    // Five levels of forks at odd places and at a block's end, beside a stranger.
    const auto prefix = RandomTokens(100, 3, vocabulary_);
    std::vector<Branch> tree = {{engine->Add(), prefix}};
    ASSERT_TRUE(engine->Append(tree[0].id, prefix));
    std::size_t level = 0;
    for (const std::size_t back : {0, 36, 3, 1, 11}) {
      const std::size_t end = tree.size();
      for (; level < end; ++level) {
        for (std::size_t child = 0; child < 2; ++child) {
          const std::size_t length = tree[level].tokens.size() - child * back;
          const auto fork = engine->Fork(tree[level].id, length);
          ASSERT_TRUE(fork) << fork.error().Message();
          Branch branch = {*fork, tree[level].tokens};
          branch.tokens.resize(length);
          const auto more =
              RandomTokens(13 + 6 * child, static_cast<unsigned>(tree.size()), vocabulary_);
          ASSERT_TRUE(engine->Append(branch.id, more));
          branch.tokens.insert(branch.tokens.end(), more.begin(), more.end());
          tree.push_back(branch);
        }
      }
    }
    tree.push_back({engine->Add(), RandomTokens(70, 77, vocabulary_)});
    ASSERT_TRUE(engine->Append(tree.back().id, tree.back().tokens));

    // One step of the whole tree and a prompt: most with one token, some with several.
    const auto prompt = RandomTokens(90, 78, vocabulary_);
    std::vector<std::vector<std::int32_t>> more;
    std::vector<Work> works;
    for (unsigned i = 0; i < tree.size(); ++i) {
      more.push_back(RandomTokens(i % 7 == 0 ? 5 : 1, 400 + i, vocabulary_));
    }
    for (std::size_t i = 0; i < tree.size(); ++i) {
      works.push_back({tree[i].id, more[i], LogitRows::kLast});
    }
    works.push_back({engine->Add(), prompt, LogitRows::kLast});
    tree.push_back({works.back().sequence, {}});
    more.push_back(prompt);
    const auto logits = engine->Step(works);
    ASSERT_TRUE(logits) << logits.error().Message();
    for (std::size_t i = 0; i < tree.size(); i += 4) {
      if (threads == 1) {
        std::vector<std::int32_t> all = tree[i].tokens;
        all.insert(all.end(), more[i].begin(), more[i].end());
        const auto single = EngineOf(512, 1);
        const Work work = {single->Add(), all, LogitRows::kLast};
        const auto last = single->Step({&work, 1});
        ASSERT_TRUE(last);
        alone[i].assign(last->values.begin(), last->values.end());
      }
      EXPECT_TRUE(Same(alone[i], logits->Row(i))) << "branch " << i << ", threads " << threads;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Invariance, ::testing::ValuesIn(InvarianceCases()));

// ---- Windows ----

TEST(EngineWindows, LongSequencesGiveBackWhatTheirWindowsLeave) {
  const auto model = Load(GoldenFolder("gemma3-tiny"), PackAs::kSource);
  ASSERT_NE(model, nullptr);
  const auto bytes = [&](std::size_t c) { return model->kv_classes()[c].layout.BlockBytes(); };
  const auto tokens = RandomTokens(500, 8, model->config().vocabulary);
  EngineOptions whole;
  whole.prompt_chunk = 512;
  const auto wide = MakeEngine(*model, whole);
  const std::vector<float> expected = AllLogits(*wide, tokens);

  // Room for the blocks that see everything and a few others: half of what all would take.
  EngineOptions tight;
  tight.prompt_chunk = 40;
  tight.kv_bytes = 8 * bytes(1) + 4 * bytes(0);
  const auto engine = MakeEngine(*model, tight);
  EXPECT_EQ(engine->Missing(0, 500), tight.kv_bytes);
  const Work work = {engine->Add(), tokens, LogitRows::kAll};
  const auto logits = engine->Step({&work, 1});
  ASSERT_TRUE(logits) << logits.error().Message();
  ASSERT_EQ(logits->values.size(), expected.size());
  EXPECT_EQ(0, std::memcmp(expected.data(), logits->values.data(), logits->values.size_bytes()));
  engine->Slide(work.sequence);
  EXPECT_EQ(engine->kv_bytes_used(), 8 * bytes(1) + 2 * bytes(0));
  // One that is cut off far back begins anew.
  ASSERT_TRUE(engine->Truncate(work.sequence, 490));
  EXPECT_EQ(engine->Length(work.sequence), 490u);
  ASSERT_TRUE(engine->Truncate(work.sequence, 200));
  EXPECT_EQ(engine->Length(work.sequence), 0u);
  EXPECT_EQ(engine->kv_bytes_used(), 0u);
}

// ---- What the engine promises to its callers ----

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = Load(GoldenFolder("qwen2-tiny"), PackAs::kSource);
    ASSERT_NE(model_, nullptr);
  }
  std::unique_ptr<model::Model> model_;
};

TEST_F(EngineTest, ForksOnlyWhatIsThere) {
  const auto engine = MakeEngine(*model_);
  const SequenceId sequence = engine->Add();
  ASSERT_TRUE(engine->Append(sequence, RandomTokens(10, 5, model_->config().vocabulary)));
  EXPECT_FALSE(engine->Fork(sequence, 11));
  EXPECT_FALSE(engine->Fork(sequence + 1, 0));
  const std::size_t used = engine->kv_bytes_used();
  EXPECT_TRUE(engine->Fork(sequence, 10));
  EXPECT_EQ(engine->kv_bytes_used(), used);
}

TEST_F(EngineTest, TruncatedSequenceGoesOnAsIfNothingHadBeen) {
  const auto engine = MakeEngine(*model_);
  const auto tokens = RandomTokens(140, 5, model_->config().vocabulary);
  const std::vector<float> whole = AllLogits(*engine, tokens);
  const SequenceId sequence = engine->Add();
  ASSERT_TRUE(engine->Append(sequence, std::span(tokens).first(70)));
  ASSERT_TRUE(engine->Append(sequence, RandomTokens(60, 6, model_->config().vocabulary)));
  ASSERT_TRUE(engine->Truncate(sequence, 70));
  EXPECT_EQ(engine->Length(sequence), 70u);
  const Work work = {sequence, std::span(tokens).subspan(70), LogitRows::kAll};
  const auto logits = engine->Step({&work, 1});
  ASSERT_TRUE(logits);
  EXPECT_EQ(0, std::memcmp(logits->values.data(), &whole[70 * model_->config().vocabulary],
                           logits->values.size_bytes()));
}

TEST_F(EngineTest, FullContextIsAClearErrorAndChangesNothing) {
  EngineOptions options;
  options.context = 10;
  const auto engine = MakeEngine(*model_, options);
  const SequenceId sequence = engine->Add();
  ASSERT_TRUE(engine->Append(sequence, RandomTokens(8, 1, 200)));
  const auto failed = engine->Append(sequence, RandomTokens(3, 1, 200));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().Message(), HasSubstr("the context of 10 tokens is full"));
  EXPECT_EQ(engine->Length(sequence), 8u);
  EXPECT_TRUE(engine->Append(sequence, RandomTokens(2, 1, 200)));
}

TEST_F(EngineTest, LackOfBlocksIsAClearErrorAndReleaseHelps) {
  EngineOptions options;
  options.context = 128;
  const auto engine = MakeEngine(*model_, options);
  const SequenceId first = engine->Add();
  const SequenceId second = engine->Add();
  ASSERT_TRUE(engine->Append(first, RandomTokens(65, 1, 200)));
  const auto failed = engine->Append(second, RandomTokens(1, 1, 200));
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().Message(), HasSubstr("no room for keys and values"));
  engine->Release(first);
  EXPECT_EQ(engine->kv_bytes_used(), 0u);
  EXPECT_TRUE(engine->Append(second, RandomTokens(128, 1, 200)));
}

TEST_F(EngineTest, RefusesWorkThatMakesNoSense) {
  const auto engine = MakeEngine(*model_);
  const SequenceId sequence = engine->Add();
  const auto tokens = RandomTokens(3, 1, 200);
  EXPECT_FALSE(engine->Append(sequence + 1, tokens));
  EXPECT_FALSE(engine->Append(sequence, {}));
  EXPECT_FALSE(engine->Truncate(sequence, 1));
  for (const std::int32_t bad : {-1, 211, INT32_MAX}) {
    const auto failed = engine->Append(sequence, std::vector<std::int32_t>{5, bad});
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().Message(), HasSubstr("there is no token"));
  }
  const Work works[] = {{sequence, tokens, LogitRows::kLast}, {sequence, tokens, LogitRows::kLast}};
  EXPECT_FALSE(engine->Step(works));
  EXPECT_EQ(engine->Length(sequence), 0u);
  EXPECT_EQ(engine->kv_bytes_used(), 0u);
}

TEST_F(EngineTest, RefusesOptionsOutOfRange) {
  EngineOptions options;
  options.kv_bytes = 10;
  EXPECT_FALSE(Engine::Create(*model_, options));
  options = {};
  options.context = std::size_t{1} << 40;
  EXPECT_FALSE(Engine::Create(*model_, options));
}

TEST_F(EngineTest, LogitRowsComeInTheOrderOfTheWorks) {
  EngineOptions options;
  options.sequences = 3;
  options.prompt_chunk = 8;  // works are cut in the middle
  const auto engine = MakeEngine(*model_, options);
  const std::size_t vocabulary = model_->config().vocabulary;
  const auto a = RandomTokens(11, 1, vocabulary);
  const auto b = RandomTokens(5, 2, vocabulary);
  const auto c = RandomTokens(19, 3, vocabulary);
  const std::vector<float> all_b = AllLogits(*engine, b);
  const std::vector<float> all_c = AllLogits(*engine, c);
  const Work works[] = {{engine->Add(), a, LogitRows::kNone},
                        {engine->Add(), b, LogitRows::kAll},
                        {engine->Add(), c, LogitRows::kLast}};
  const auto logits = engine->Step(works);
  ASSERT_TRUE(logits);
  ASSERT_EQ(logits->rows(), 6u);
  EXPECT_EQ(0, std::memcmp(logits->values.data(), all_b.data(), all_b.size() * sizeof(float)));
  EXPECT_EQ(
      0, std::memcmp(logits->Row(5).data(), &all_c[18 * vocabulary], vocabulary * sizeof(float)));
}

TEST_F(EngineTest, TimesPromptsAndDecodingApart) {
  const auto engine = MakeEngine(*model_);
  const SequenceId sequence = engine->Add();
  ASSERT_TRUE(engine->Append(sequence, RandomTokens(30, 1, 200)));
  ASSERT_TRUE(engine->Append(sequence, RandomTokens(1, 1, 200)));
  EXPECT_EQ(engine->timings().prompt_tokens, 30u);
  EXPECT_EQ(engine->timings().decode_tokens, 1u);
  EXPECT_GT(engine->timings().prompt_seconds, 0.0);
  engine->ResetTimings();
  EXPECT_EQ(engine->timings().decode_steps, 0u);
}

}  // namespace
}  // namespace ergo::runtime
