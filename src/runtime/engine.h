// Sequences of tokens over a model: token ids in, logits out, never text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/compute_pool.h"
#include "base/result.h"
#include "model/model.h"
#include "runtime/kv/prefix_cache.h"
#include "runtime/kv/sequence_cache.h"

namespace ergo::runtime {

struct EngineOptions {
  std::size_t context = 0;         ///< most tokens of a sequence; 0: the model's context length
  std::size_t sequences = 1;       ///< full contexts to make room for, if kv_bytes is 0
  std::size_t kv_bytes = 0;        ///< budget for keys and values
  std::size_t prompt_chunk = 512;  ///< most rows that are computed at once
  int threads = 0;                 ///< 0: all of the pool
  ComputePool* pool = nullptr;     ///< nullptr: the process's
};

using SequenceId = std::uint64_t;

enum class LogitRows {
  kNone,
  kLast,  ///< of the last token of the work
  kAll,
};

/// Tokens to append to one sequence.
struct Work {
  SequenceId sequence = 0;
  std::span<const std::int32_t> tokens;
  LogitRows logits = LogitRows::kLast;
};

/// Logits of a call, until the next one: the rows wanted, work after work.
struct Logits {
  std::span<const float> values;  ///< [rows, vocabulary]
  std::size_t vocabulary = 0;

  std::size_t rows() const { return vocabulary == 0 ? 0 : values.size() / vocabulary; }
  std::span<const float> Row(std::size_t i) const {
    return values.subspan(i * vocabulary, vocabulary);
  }
};

/// Time spent computing. A call whose works are all of one token counts as decoding.
struct EngineTimings {
  std::uint64_t prompt_tokens = 0;
  double prompt_seconds = 0.0;
  std::uint64_t decode_steps = 0;
  std::uint64_t decode_tokens = 0;
  double decode_seconds = 0.0;
};

/// Synchronous: a call computes and returns, one at a time. A scheduler that merges the work of
/// many callers into steps stands above this class.
class Engine {
 public:
  /// `model` must outlive the engine. Errors: no memory, options out of range.
  static Result<std::unique_ptr<Engine>> Create(const model::Model& model,
                                                const EngineOptions& options = {});

  /// A new, empty sequence; it takes memory as it grows.
  SequenceId Add();
  /// Appends tokens without computing logits.
  Status Append(SequenceId sequence, std::span<const std::int32_t> tokens);
  /// Appends each work's tokens to its sequence, together where they fit into one step. On an error
  /// no sequence has changed: unknown or repeated sequence, unknown token, no tokens, context full,
  /// no blocks left.
  Result<Logits> Step(std::span<const Work> works);

  /// From now on `observer` sees the steps, which may be of one sequence only then; nullptr:
  /// nobody.
  void Observe(model::StepObserver* observer) { observer_ = observer; }

  /// A new sequence that begins with the first `length` tokens of another one and shares their keys
  /// and values: it takes memory for what it appends itself, and at first for a copy of its last
  /// block of 64 tokens if that isn't full. Where windows before that place are gone (as
  /// may be far from the end) it has fewer tokens; Length says how many. Errors: unknown sequence,
  /// longer than it is.
  Result<SequenceId> Fork(SequenceId sequence, std::size_t length);

  /// A new sequence that holds the longest beginning of `tokens`, at most `most` of them, that is
  /// remembered in `name_space` with the windows before its end; Length says how many. Known says
  /// how many are remembered at all: the sequence should be remembered when it has computed them,
  /// so that the next one finds their windows.
  SequenceId Open(std::string_view name_space, std::span<const std::int32_t> tokens,
                  std::size_t most);
  /// Tokens that Open would find.
  std::size_t Match(std::string_view name_space, std::span<const std::int32_t> tokens,
                    std::size_t most) const {
    return prefixes_->Match(name_space, tokens, most);
  }
  std::size_t Known(SequenceId sequence) const;
  /// Keeps the sequence's keys and values for Open, as long as the memory isn't needed; `tokens`
  /// are those that it holds, or the first of them.
  void Remember(SequenceId sequence, std::string_view name_space,
                std::span<const std::int32_t> tokens);
  /// From now on what is remembered also lies in `store`: what was there before is found, what has
  /// to leave memory goes there, and so does all of it at SaveRemembered. Once.
  void Attach(std::unique_ptr<PrefixStore> store) { prefixes_->Attach(std::move(store)); }
  /// Errors: those of the store.
  Status SaveRemembered() { return prefixes_->Save(); }
  /// Gives back what is remembered and not in use.
  void ForgetAll() { prefixes_->Clear(); }
  PrefixStats prefix_stats() const { return prefixes_->stats(); }

  /// Bytes of blocks that sequences can still take, remembered ones given up for them included.
  std::size_t room() const { return cache_.available() + prefixes_->evictable(); }
  /// Bytes of keys and values in all.
  std::size_t capacity() const { return cache_.capacity(); }
  /// Bytes of a block of 64 tokens in all layers.
  std::size_t block_bytes() const { return cache_.block_bytes(); }
  /// Gives the blocks of a sequence back that no later token sees. Step does so too.
  void Slide(SequenceId sequence);
  /// Bytes of the blocks that a sequence takes to grow to `length` tokens; of an unknown one, all.
  std::size_t Missing(SequenceId sequence, std::size_t length) const;

  /// Forgets the tokens from `length` on, and if the windows before them are gone (as may be
  /// far from the end) some before them; Length says how many are left. Errors: unknown sequence,
  /// longer than it is.
  Status Truncate(SequenceId sequence, std::size_t length);
  /// Gives the sequence's memory back; an unknown one is ignored.
  void Release(SequenceId sequence);

  /// Tokens of a sequence; 0 for an unknown one.
  std::size_t Length(SequenceId sequence) const;
  std::size_t context() const { return context_; }
  std::size_t prompt_chunk() const { return chunk_; }
  const model::Model& model() const { return model_; }
  const EngineTimings& timings() const { return timings_; }
  void ResetTimings() { timings_ = {}; }
  /// Bytes of keys and values, remembered ones included, and of scratch memory.
  std::size_t kv_bytes_used() const;
  std::size_t scratch_bytes() const { return space_->bytes(); }

 private:
  /// Part of a work that goes into one step.
  struct Piece {
    SequenceBlocks* sequence;
    std::span<const std::int32_t> tokens;
    std::size_t logit_rows;  ///< of the last tokens of the piece
  };

  explicit Engine(const model::Model& model) : model_(model) {}
  Status Check(std::span<const Work> works);
  Status RunPieces(std::span<const Piece> pieces, float* logits);

  const model::Model& model_;
  std::size_t context_ = 0;
  std::size_t chunk_ = 0;
  SequenceCache cache_;
  std::optional<PrefixCache> prefixes_;  ///< of cache_; always there
  std::unique_ptr<model::Workspace> space_;
  std::unordered_map<SequenceId, SequenceBlocks> sequences_;
  SequenceId next_id_ = 1;
  EngineTimings timings_;
  model::StepObserver* observer_ = nullptr;

  // Of the present call; kept for their memory.
  std::vector<float> logits_;
  std::vector<std::int32_t> tokens_;
  std::vector<std::uint32_t> logit_rows_;
  std::vector<std::vector<kernels::SequenceRows>> rows_;  ///< of each class
  std::vector<model::KvStep> kv_steps_;
};

}  // namespace ergo::runtime
