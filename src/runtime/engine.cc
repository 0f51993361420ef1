#include "runtime/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace ergo::runtime {
namespace {

constexpr std::size_t kMostContext = std::size_t{1} << 31;
constexpr std::size_t kMostChunk = 1 << 16;
constexpr const char* kWhere = "engine";

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

std::size_t LogitCount(const Work& work) {
  switch (work.logits) {
    case LogitRows::kNone:
      return 0;
    case LogitRows::kLast:
      return 1;
    case LogitRows::kAll:
      break;
  }
  return work.tokens.size();
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Create(const model::Model& model,
                                               const EngineOptions& options) {
  std::unique_ptr<Engine> engine(new Engine(model));
  engine->context_ = options.context != 0 ? options.context : model.config().context_length;
  if (engine->context_ > kMostContext) {
    return Fail(fmt::format("a context of {} tokens is too long", engine->context_), kWhere,
                fmt::format("choose at most {}", kMostContext));
  }
  engine->chunk_ = std::clamp<std::size_t>(options.prompt_chunk, 1, kMostChunk);

  std::size_t block_bytes = 0;
  for (const model::KvClass& kv_class : model.kv_classes()) {
    block_bytes += kv_class.layout.BlockBytes();
  }
  const std::size_t per_context =
      (engine->context_ + kernels::kBlockTokens - 1) / kernels::kBlockTokens;
  SequenceCache::Options cache_options;
  cache_options.bytes =
      options.kv_bytes != 0
          ? options.kv_bytes
          : per_context * std::max<std::size_t>(options.sequences, 1) * block_bytes;
  cache_options.step_rows = engine->chunk_;
  auto cache = SequenceCache::Create(model.kv_classes(), cache_options);
  if (!cache) return Fail(std::move(cache));
  engine->cache_ = *std::move(cache);
  engine->prefixes_.emplace(engine->cache_);

  model::Workspace::Options space_options;
  space_options.max_rows = engine->chunk_;
  space_options.pool = options.pool != nullptr ? options.pool : &ComputePool::Shared();
  space_options.threads = options.threads > 0
                              ? std::min(options.threads, space_options.pool->size())
                              : space_options.pool->size();
  auto space = model::Workspace::Create(model.network(), space_options);
  if (!space) return Fail(std::move(space));
  engine->space_ = *std::move(space);
  engine->rows_.resize(model.kv_classes().size());
  engine->kv_steps_.resize(model.kv_classes().size());
  return engine;
}

SequenceId Engine::Add() {
  sequences_.emplace(next_id_, cache_.NewSequence());
  return next_id_++;
}

Status Engine::Append(SequenceId sequence, std::span<const std::int32_t> tokens) {
  const Work work = {sequence, tokens, LogitRows::kNone};
  auto done = Step({&work, 1});
  if (!done) return Fail(std::move(done));
  return {};
}

Status Engine::Check(std::span<const Work> works) {
  std::size_t missing = 0;
  std::vector<SequenceId> seen;
  for (const Work& work : works) {
    const auto found = sequences_.find(work.sequence);
    if (found == sequences_.end()) {
      return Fail(fmt::format("there is no sequence {}", work.sequence), kWhere);
    }
    if (work.tokens.empty()) return Fail("a sequence was given no tokens", kWhere);
    for (const std::int32_t token : work.tokens) {
      if (token < 0 || static_cast<std::size_t>(token) >= model_.config().vocabulary) {
        return Fail(fmt::format("there is no token {}", token), kWhere,
                    fmt::format("token ids are 0 to {}", model_.config().vocabulary - 1));
      }
    }
    const std::size_t have = found->second.length;
    if (work.tokens.size() > context_ - have) {
      return Fail(fmt::format("the context of {} tokens is full: {} are there and {} more came",
                              context_, have, work.tokens.size()),
                  kWhere, "shorten the text or choose a longer context");
    }
    cache_.Slide(found->second);
    missing += cache_.Missing(found->second, have + work.tokens.size());
    seen.push_back(work.sequence);
  }
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) {
    return Fail("a sequence takes part twice in one step", kWhere);
  }
  if (missing > cache_.available()) prefixes_->Evict(missing);
  if (missing > cache_.available()) {
    return Fail(fmt::format("no room for keys and values: {} bytes are needed and {} of {} are "
                            "free",
                            missing, cache_.available(), cache_.capacity()),
                kWhere, "release sequences or give the engine more memory");
  }
  return {};
}

Result<Logits> Engine::Step(std::span<const Work> works) {
  if (auto checked = Check(works); !checked) return Fail(std::move(checked));
  const auto start = std::chrono::steady_clock::now();
  const std::size_t vocabulary = model_.config().vocabulary;
  std::size_t logit_rows = 0;
  std::size_t tokens = 0;
  for (const Work& work : works) {
    logit_rows += LogitCount(work);
    tokens += work.tokens.size();
  }
  if (logits_.size() < logit_rows * vocabulary) logits_.resize(logit_rows * vocabulary);

  // Works in order, cut where a step is full.
  std::vector<Piece> pieces;
  std::size_t rows = 0;
  float* logits = logits_.data();
  const auto run = [&]() -> Status {
    auto done = RunPieces(pieces, logits);
    for (const Piece& piece : pieces) logits += piece.logit_rows * vocabulary;
    pieces.clear();
    rows = 0;
    return done;
  };
  for (const Work& work : works) {
    const std::size_t quiet = work.tokens.size() - LogitCount(work);  // tokens without logits
    for (std::size_t begin = 0; begin < work.tokens.size();) {
      const std::size_t end = std::min(work.tokens.size(), begin + (chunk_ - rows));
      pieces.push_back({&sequences_.at(work.sequence), work.tokens.subspan(begin, end - begin),
                        end - std::max(begin, std::min(quiet, end))});
      rows += end - begin;
      begin = end;
      if (rows < chunk_) continue;
      if (auto done = run(); !done) return Fail(std::move(done));
    }
  }
  if (!pieces.empty()) {
    if (auto done = run(); !done) return Fail(std::move(done));
  }

  const double seconds = Seconds(start);
  if (tokens == works.size()) {
    timings_.decode_steps += 1;
    timings_.decode_tokens += tokens;
    timings_.decode_seconds += seconds;
  } else {
    timings_.prompt_tokens += tokens;
    timings_.prompt_seconds += seconds;
  }
  return Logits{{logits_.data(), logit_rows * vocabulary}, vocabulary};
}

Status Engine::RunPieces(std::span<const Piece> pieces, float* logits) {
  tokens_.clear();
  logit_rows_.clear();
  for (auto& rows : rows_) rows.clear();
  for (const Piece& piece : pieces) {
    SequenceBlocks& sequence = *piece.sequence;
    cache_.Slide(sequence);
    cache_.Reserve(sequence, sequence.length + piece.tokens.size());
    const std::size_t first_row = tokens_.size();
    for (std::size_t c = 0; c < rows_.size(); ++c) {
      rows_[c].push_back(
          {sequence.tables[c].data(), sequence.length, piece.tokens.size(), first_row});
    }
    tokens_.insert(tokens_.end(), piece.tokens.begin(), piece.tokens.end());
    for (std::size_t i = tokens_.size() - piece.logit_rows; i < tokens_.size(); ++i) {
      logit_rows_.push_back(static_cast<std::uint32_t>(i));
    }
  }
  for (std::size_t c = 0; c < rows_.size(); ++c) kv_steps_[c] = {cache_.arena(c), rows_[c]};
  const model::Step step = {tokens_, kv_steps_, logit_rows_, logits, observer_};
  if (auto done = model_.Forward(step, *space_); !done) return done;
  for (const Piece& piece : pieces) piece.sequence->length += piece.tokens.size();
  return {};
}

Result<SequenceId> Engine::Fork(SequenceId sequence, std::size_t length) {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end() || length > found->second.length) {
    return Fail(fmt::format("sequence {} has no {} tokens to fork from", sequence, length), kWhere);
  }
  SequenceBlocks fork = cache_.Fork(found->second, length);
  sequences_.emplace(next_id_, std::move(fork));
  return next_id_++;
}

SequenceId Engine::Open(std::string_view name_space, std::span<const std::int32_t> tokens,
                        std::size_t most) {
  sequences_.emplace(next_id_, prefixes_->Find(name_space, tokens, most));
  return next_id_++;
}

void Engine::Remember(SequenceId sequence, std::string_view name_space,
                      std::span<const std::int32_t> tokens) {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end() || tokens.empty()) return;
  prefixes_->Insert(name_space, tokens.first(std::min(tokens.size(), found->second.length)),
                    found->second);
}

std::size_t Engine::Missing(SequenceId sequence, std::size_t length) const {
  const auto found = sequences_.find(sequence);
  if (found != sequences_.end()) return cache_.Missing(found->second, length);
  return cache_.Missing(cache_.NewSequence(), length);
}

void Engine::Slide(SequenceId sequence) {
  const auto found = sequences_.find(sequence);
  if (found != sequences_.end()) cache_.Slide(found->second);
}

std::size_t Engine::Known(SequenceId sequence) const {
  const auto found = sequences_.find(sequence);
  return found == sequences_.end() ? 0 : found->second.known;
}

Status Engine::Truncate(SequenceId sequence, std::size_t length) {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end() || length > found->second.length) {
    return Fail(fmt::format("sequence {} has no {} tokens to keep", sequence, length), kWhere);
  }
  cache_.Trim(found->second, length);
  return {};
}

void Engine::Release(SequenceId sequence) {
  const auto found = sequences_.find(sequence);
  if (found == sequences_.end()) return;
  cache_.Trim(found->second, 0);
  sequences_.erase(found);
}

std::size_t Engine::Length(SequenceId sequence) const {
  const auto found = sequences_.find(sequence);
  return found == sequences_.end() ? 0 : found->second.length;
}

std::size_t Engine::kv_bytes_used() const { return cache_.capacity() - cache_.available(); }

}  // namespace ergo::runtime
