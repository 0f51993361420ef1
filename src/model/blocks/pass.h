// One step of a model as its threads see it: what goes in, the scratch memory, and who owns what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/compute_pool.h"
#include "kernels/attention/attention.h"
#include "kernels/matmul/matmul.h"
#include "kernels/rope/rope.h"
#include "model/config.h"
#include "model/observer.h"
#include "model/weights.h"

namespace ergo::model {

/// Layers that share block tables: those that see everything, or those with one window.
struct KvClass {
  kernels::KvLayout layout;
  std::size_t window = 0;  ///< 0: everything
};

/// Where a layer keeps its keys and values.
struct LayerKv {
  std::size_t kv_class = 0;
  std::size_t index = 0;  ///< of the layer in its class
};

/// Everything about a model that a step reads.
struct Network {
  ModelConfig config;
  Weights weights;
  std::vector<kernels::Rope> ropes;
  std::vector<KvClass> kv_classes;
  std::vector<LayerKv> layer_kv;  ///< one for each layer
  /// The head reads its input with remainders: its rounding else makes up to a third of the whole
  /// model's divergence from fp32.
  bool fine_head = false;
  void (*forward)(Pass& pass) = nullptr;
};

/// One class's memory in a step.
struct KvStep {
  std::byte* arena = nullptr;  ///< aligned to 64 bytes
  /// The sequences of the step with this class's block tables; the same rows and positions in every
  /// class. Together they cover the rows of the step in order.
  std::span<const kernels::SequenceRows> sequences;
};

/// What a step computes. Several sequences may take part, each with consecutive tokens.
struct Step {
  std::span<const std::int32_t> tokens;       ///< one for each row
  std::span<const KvStep> kv;                 ///< one for each class
  std::span<const std::uint32_t> logit_rows;  ///< rows whose logits are wanted, ascending
  float* logits = nullptr;                    ///< out: [logit_rows, vocabulary]
  StepObserver* observer = nullptr;           ///< sees what is computed; usually nobody
};

/// Uninitialized floats, aligned to a cache line. Pages that nobody touches cost nothing.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  /// False when there is no memory.
  bool Allocate(std::size_t count);
  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* p) const;
  };
  std::unique_ptr<float[], Free> data_;
};

/// Inputs of the products of a layer.
struct Inputs {
  kernels::Activations x;          ///< normalized rows [hidden]
  kernels::Remainders rest;        ///< of the head's input, see Network::fine_head
  kernels::Activations attention;  ///< [heads · head_dim]
};

/// Steps of so many rows do their row-wise work in every thread, see Pass::alone.
inline constexpr std::size_t kAloneRows = 2;

/// What one thread has for itself.
struct Lane {
  FloatBuffer row;     ///< the widest row of the model
  FloatBuffer hidden;  ///< [kAloneRows, hidden]; from here on: see Pass::alone
  FloatBuffer angles;  ///< [kAloneRows, ropes, rotary_dims]
  Inputs inputs;
  Inputs tail_inputs;
};

/// Scratch memory for steps of up to max_rows rows; allocated once, used by one step at a time.
class Workspace {
 public:
  struct Options {
    std::size_t max_rows = 1;
    int threads = 1;
    ComputePool* pool = nullptr;
  };

  /// Error: out of memory.
  static Result<std::unique_ptr<Workspace>> Create(const Network& network, const Options& options);

  /// One thread, before the run: sizes and lists of this step.
  void Prepare(const Network& network, const Step& step);

  const Options& options() const { return options_; }
  std::size_t bytes() const { return bytes_; }

  FloatBuffer hidden;     ///< [rows, hidden]: the residual stream
  FloatBuffer branch;     ///< [rows, hidden]: what a block adds to it
  FloatBuffer q;          ///< [rows, heads · head_dim]
  FloatBuffer kv;         ///< [rows, 2 · kv_heads · head_dim]: keys, then values
  FloatBuffer attention;  ///< [rows, heads · head_dim]
  FloatBuffer angles;     ///< [rows, ropes, rotary_dims]: cosines, then sines
  std::size_t angle_stride = 0;
  std::vector<std::size_t> angle_offset;  ///< of each rope in a row

  Inputs inputs;               ///< of all rows
  Inputs tail_inputs;          ///< of the rows whose logits are wanted
  kernels::Activations gated;  ///< [rows, intermediate]: what the feed-forward's gate lets through
  kernels::Activations tail_gated;
  std::vector<Lane> lanes;

  std::vector<std::uint32_t> sequence_of_row;
  /// Of each class: how attention goes through all rows, and through those whose logits are wanted.
  std::vector<kernels::AttentionPlan> plans;
  std::vector<kernels::AttentionPlan> tail_plans;

 private:
  struct Form {
    bool f32 = false;
    bool int8 = false;
    void Add(const kernels::PackedMatrix& reader);
  };

  void Plan(const Network& network, const Step& step);

  Options options_;
  std::size_t bytes_ = 0;
  std::vector<kernels::SequenceRows> tail_rows_;  ///< of one class
  Form x_form_;
  Form head_form_;
  Form attention_form_;
  Form gated_form_;
};

/// One thread's view of a step; every thread of the run has its own and executes the same blocks.
///
/// Row-wise work (norms, sums, activations) is shared out by rows and followed by a barrier. A step
/// of few rows is different: a barrier costs more than the work, so every thread does all of it for
/// itself, on copies of its own (`alone`). Both give the same bits.
struct Pass {
  Pass(Worker& worker, const Network& network, const Step& step, Workspace& space);

  Worker& worker;
  const Network& network;
  const ModelConfig& config;
  const Weights& weights;
  const Step& step;
  Workspace& space;
  Lane& lane;
  const bool alone;
  /// From the middle of the last layer on only the rows whose logits are wanted are computed.
  bool tail = false;

  std::size_t rows() const { return tail ? step.logit_rows.size() : step.tokens.size(); }
  /// The step's row that is the i-th of those being computed.
  std::size_t Source(std::size_t i) const { return tail ? step.logit_rows[i] : i; }

  /// The rows [begin, end) whose row-wise work this thread does.
  Worker::Range Own() const;
  /// After row-wise work, before anybody reads what others wrote.
  void Publish();
  /// Whether this thread tells the observer of the rows that it owns. Where every thread owns all
  /// rows, one of them does.
  bool Observed() const { return step.observer != nullptr && (!alone || worker.index() == 0); }

  Inputs& inputs() const;
  kernels::Activations& gated() const { return tail ? space.tail_gated : space.gated; }
  float* Hidden(std::size_t i) const;
  /// cos and sin of a row of the step.
  float* Angles(std::size_t row, std::size_t rope) const;
  std::size_t Position(std::size_t row) const;
};

}  // namespace ergo::model
