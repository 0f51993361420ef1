// A scheduler over a small model, and what sequences draw alone.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/schedule/scheduler.h"

namespace ergo::runtime::testing {

using Tokens = std::vector<std::int32_t>;

/// Loaded once: two classes of layers, one with a window.
inline const model::Model& Gemma() {
  static const std::unique_ptr<model::Model> kModel = [] {
    auto files = formats::Open(std::string(ERGO_SOURCE_DIR) + "/tests/golden/models/gemma3-tiny");
    model::LoadOptions options;
    options.kv = kernels::KvType::kF32;
    return *model::Model::Load(files.value(), options);
  }();
  return *kModel;
}

inline std::size_t BlockBytes(const model::Model& model) {
  return model.kv_bytes_per_token() * kernels::kBlockTokens;
}

struct Limits {
  std::size_t context = 512;
  std::size_t blocks = 64;
  std::size_t chunk = 64;
  LoopOptions loop = {};
  std::string folder = {};  ///< of a store, if there is one
};

inline std::unique_ptr<Scheduler> MakeScheduler(const Limits& limits = {}) {
  EngineOptions options;
  options.context = limits.context;
  options.kv_bytes = limits.blocks * BlockBytes(Gemma());
  options.prompt_chunk = limits.chunk;
  auto engine = Engine::Create(Gemma(), options);
  EXPECT_TRUE(engine) << engine.error().Message();
  if (!limits.folder.empty()) {
    StoreOptions store = {limits.folder, {"gemma"}, std::size_t{1} << 30, {}, {}};
    for (const model::KvClass& kv_class : Gemma().kv_classes()) {
      store.block_bytes.push_back(kv_class.layout.BlockBytes());
    }
    (*engine)->Attach(*PrefixStore::Open(store));
  }
  return std::make_unique<Scheduler>(*std::move(engine), limits.loop);
}

inline Tokens RandomTokens(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Tokens tokens(count);
  for (auto& token : tokens) {
    token = static_cast<std::int32_t>(random() % Gemma().config().vocabulary);
  }
  return tokens;
}

inline SamplingParams Warm(std::uint64_t seed) {
  SamplingParams params;
  params.temperature = 0.9f;
  params.repetition_penalty = 1.1f;
  params.seed = seed;
  return params;
}

/// What a sequence draws that nothing else runs beside: step by step, in an engine of its own.
inline Tokens Alone(const Tokens& given, const SamplingParams& sampling, std::size_t count) {
  EngineOptions options;
  options.context = 512;
  auto engine = *Engine::Create(Gemma(), options);
  Sampler sampler(sampling);
  Tokens tokens = given;
  const SequenceId sequence = engine->Add();
  while (tokens.size() < given.size() + count) {
    const Work work = {sequence, std::span(tokens).subspan(engine->Length(sequence)),
                       LogitRows::kLast};
    const auto logits = engine->Step({&work, 1});
    EXPECT_TRUE(logits) << logits.error().Message();
    tokens.push_back(sampler.Next(logits->Row(0), tokens, tokens.size()).token);
  }
  return {tokens.begin() + static_cast<std::ptrdiff_t>(given.size()), tokens.end()};
}

struct Heard {
  Tokens tokens;
  SequenceEnd end;
};

inline Heard Listen(const Stream& stream) {
  Heard heard;
  DrawnToken token;
  while (stream->Next(&token) == TokenStream::Wait::kToken) heard.tokens.push_back(token.token);
  heard.end = stream->end();
  return heard;
}

inline SequenceOptions Draw(std::size_t count, std::uint64_t seed = 1) {
  SequenceOptions options;
  options.sampling = Warm(seed);
  options.max_tokens = count;
  return options;
}

inline std::size_t BytesInUse(Scheduler& scheduler) {
  std::size_t used = 0;
  scheduler.Between([&](EngineLoop& loop) {
    loop.engine().ForgetAll();
    used = loop.engine().capacity() - loop.engine().room();
  });
  return used;
}

}  // namespace ergo::runtime::testing
