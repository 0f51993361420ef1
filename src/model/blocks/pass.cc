#include "model/blocks/pass.h"

#include <algorithm>
#include <cstdlib>

namespace ergo::model {
namespace {

std::size_t QWidth(const ModelConfig& config) { return config.heads * config.head_dim; }
std::size_t KvWidth(const ModelConfig& config) { return config.kv_heads * config.head_dim; }

}  // namespace

void FloatBuffer::Free::operator()(float* p) const { std::free(p); }

bool FloatBuffer::Allocate(std::size_t count) {
  constexpr std::size_t kLine = 64;
  const std::size_t bytes = (count * sizeof(float) + kLine - 1) / kLine * kLine;
  data_.reset(static_cast<float*>(std::aligned_alloc(kLine, std::max(bytes, kLine))));
  return data_ != nullptr;
}

void Workspace::Form::Add(const kernels::PackedMatrix& reader) {
  (reader.reads_int8() ? int8 : f32) = true;
}

Result<std::unique_ptr<Workspace>> Workspace::Create(const Network& network,
                                                     const Options& options) {
  const ModelConfig& config = network.config;
  auto space = std::make_unique<Workspace>();
  space->options_ = options;
  for (const LayerWeights& layer : network.weights.layers) {
    for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.gate, &layer.up}) {
      space->x_form_.Add(linear->weights);
    }
    space->attention_form_.Add(layer.o.weights);
    space->gated_form_.Add(layer.down.weights);
  }
  space->head_form_ = space->x_form_;
  space->head_form_.Add(network.weights.head.weights);
  for (const kernels::Rope& rope : network.ropes) {
    space->angle_offset.push_back(space->angle_stride);
    space->angle_stride += rope.rotary_dims();
  }
  bool enough = true;
  const auto allocate = [&](FloatBuffer& buffer, std::size_t rows, std::size_t width) {
    enough = enough && buffer.Allocate(rows * width);
    space->bytes_ += rows * width * sizeof(float);
  };
  const std::size_t rows = options.max_rows;
  allocate(space->hidden, rows, config.hidden);
  allocate(space->branch, rows, config.hidden);
  allocate(space->q, rows, QWidth(config));
  allocate(space->kv, rows, 2 * KvWidth(config));
  allocate(space->attention, rows, QWidth(config));
  allocate(space->angles, rows, space->angle_stride);
  space->lanes.resize(static_cast<std::size_t>(options.threads));
  for (Lane& lane : space->lanes) {
    allocate(lane.row, 1, std::max(config.hidden, QWidth(config)));
    allocate(lane.hidden, kAloneRows, config.hidden);
    allocate(lane.angles, kAloneRows, space->angle_stride);
  }
  if (!enough) {
    return Fail("there is no memory for steps of " + std::to_string(rows) + " tokens", "engine",
                "choose a smaller prompt chunk");
  }
  return space;
}

void Workspace::Prepare(const Network& network, const Step& step) {
  const ModelConfig& config = network.config;
  const auto reset = [&](Inputs& set, std::size_t rows, const Form& x) {
    if (rows == 0) return;
    set.x.Reset(rows, config.hidden, x.f32, x.int8);
    if (network.fine_head) set.rest.Reset(rows, config.hidden);
    set.attention.Reset(rows, QWidth(config), attention_form_.f32, attention_form_.int8);
  };
  const auto reset_all = [&](auto& owner) {
    reset(owner.inputs, step.tokens.size(), x_form_);
    reset(owner.tail_inputs, step.logit_rows.size(), head_form_);
  };
  if (step.tokens.size() > kAloneRows) {
    reset_all(*this);
  } else {
    for (Lane& lane : lanes) reset_all(lane);
  }

  gated.Reset(step.tokens.size(), config.intermediate, gated_form_.f32, gated_form_.int8);
  tail_gated.Reset(step.logit_rows.size(), config.intermediate, gated_form_.f32, gated_form_.int8);

  sequence_of_row.resize(step.tokens.size());
  const auto& sequences = step.kv.front().sequences;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    std::fill_n(sequence_of_row.begin() + static_cast<std::ptrdiff_t>(sequences[s].first_row),
                sequences[s].rows, static_cast<std::uint32_t>(s));
  }
  Plan(network, step);
}

void Workspace::Plan(const Network& network, const Step& step) {
  const ModelConfig& config = network.config;
  plans.resize(step.kv.size());
  tail_plans.resize(step.kv.size());
  for (std::size_t c = 0; c < step.kv.size(); ++c) {
    const kernels::AttentionPlan::Shape shape = {config.heads / config.kv_heads, config.kv_heads,
                                                 network.kv_classes[c].window, options_.threads};
    plans[c].Make(step.kv[c].sequences, shape);
    tail_rows_.clear();
    for (const std::uint32_t row : step.logit_rows) {
      const kernels::SequenceRows& of = step.kv[c].sequences[sequence_of_row[row]];
      tail_rows_.push_back({of.blocks, of.first_position + (row - of.first_row), 1, row});
    }
    tail_plans[c].Make(tail_rows_, shape);
  }
}

Pass::Pass(Worker& thread, const Network& net, const Step& work, Workspace& scratch)
    : worker(thread),
      network(net),
      config(net.config),
      weights(net.weights),
      step(work),
      space(scratch),
      lane(scratch.lanes[static_cast<std::size_t>(thread.index())]),
      alone(work.tokens.size() <= kAloneRows) {}

Worker::Range Pass::Own() const {
  if (alone) return {0, rows()};
  return worker.Share(rows());
}

void Pass::Publish() {
  if (!alone) worker.Barrier();
}

Inputs& Pass::inputs() const {
  if (alone) return tail ? lane.tail_inputs : lane.inputs;
  return tail ? space.tail_inputs : space.inputs;
}

float* Pass::Hidden(std::size_t i) const {
  const FloatBuffer& hidden = alone ? lane.hidden : space.hidden;
  return hidden.data() + Source(i) * config.hidden;
}

float* Pass::Angles(std::size_t row, std::size_t rope) const {
  const FloatBuffer& angles = alone ? lane.angles : space.angles;
  return angles.data() + row * space.angle_stride + space.angle_offset[rope];
}

std::size_t Pass::Position(std::size_t row) const {
  const kernels::SequenceRows& sequence = step.kv.front().sequences[space.sequence_of_row[row]];
  return sequence.first_position + (row - sequence.first_row);
}

}  // namespace ergo::model
