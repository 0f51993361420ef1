#include <algorithm>
#include <array>

#include "kernels/activation/activation.h"
#include "kernels/norm/norm.h"
#include "model/blocks/blocks.h"

namespace ergo::model {
namespace {

/// Heads of one row, from one product's output to what attention reads.
struct HeadRow {
  float* x;  ///< [heads · head_dim]
  std::size_t heads;
  const float* bias;               ///< of these heads, or null
  const std::vector<float>* norm;  ///< of a head; may be empty
  const float* cos_sin;
};

void PrepareHeads(const Pass& pass, const kernels::Rope& rope, const HeadRow& row) {
  const std::size_t head_dim = pass.config.head_dim;
  if (row.bias != nullptr) kernels::AddInPlace(row.x, row.bias, row.heads * head_dim);
  if (!row.norm->empty()) {
    for (std::size_t head = 0; head < row.heads; ++head) {
      float* x = row.x + head * head_dim;
      kernels::RmsNorm(x, row.norm->data(), pass.config.norm_epsilon, head_dim, x);
    }
  }
  kernels::ApplyRope(row.cos_sin, rope, row.heads, head_dim, row.x);
}

const float* BiasOf(const Linear& linear, std::size_t offset) {
  return linear.bias.empty() ? nullptr : linear.bias.data() + offset;
}

kernels::KvLayer KvOf(const Pass& pass, const LayerWeights& layer) {
  const LayerKv& place = pass.network.layer_kv[layer.index];
  return {&pass.network.kv_classes[place.kv_class].layout, pass.step.kv[place.kv_class].arena,
          place.index};
}

/// Keys and values of one row: bias, norm, RoPE, and into the cache.
void StoreRow(const Pass& pass, const LayerWeights& layer, std::size_t row) {
  const std::size_t width = pass.config.kv_heads * pass.config.head_dim;
  const std::size_t rope = pass.config.layers[layer.index].rope;
  float* key = pass.space.kv.data() + row * 2 * width;
  float* value = key + width;
  PrepareHeads(
      pass, pass.network.ropes[rope],
      {key, pass.config.kv_heads, BiasOf(layer.k, 0), &layer.k_norm, pass.Angles(row, rope)});
  if (!layer.v.bias.empty()) kernels::AddInPlace(value, layer.v.bias.data(), width);
  const std::size_t kv_class = pass.network.layer_kv[layer.index].kv_class;
  const auto& sequence = pass.step.kv[kv_class].sequences[pass.space.sequence_of_row[row]];
  kernels::StoreKv(KvOf(pass, layer), sequence.blocks, pass.Position(row), key, value);
}

/// Shares out the query heads of all rows, and as one more piece of each row its keys and values,
/// so that one row alone keeps several threads busy.
void PrepareRows(const Pass& pass, const LayerWeights& layer) {
  const std::size_t heads = pass.config.heads;
  const std::size_t head_dim = pass.config.head_dim;
  const std::size_t rope = pass.config.layers[layer.index].rope;
  const std::size_t pieces = heads + 1;
  const Worker::Range own = pass.worker.Share(pass.rows() * pieces);
  for (std::size_t piece = own.begin; piece < own.end;) {
    const std::size_t row = piece / pieces;
    const std::size_t first = piece % pieces;
    const std::size_t end = std::min(first + (own.end - piece), pieces);
    const std::size_t last_head = std::min(end, heads);
    if (first < last_head) {
      PrepareHeads(pass, pass.network.ropes[rope],
                   {pass.space.q.data() + (row * heads + first) * head_dim, last_head - first,
                    BiasOf(layer.q, first * head_dim), &layer.q_norm, pass.Angles(row, rope)});
    }
    if (end == pieces) StoreRow(pass, layer, row);
    piece += end - first;
  }
}

void AttendRows(Pass& pass, const LayerWeights& layer) {
  const std::size_t kv_class = pass.network.layer_kv[layer.index].kv_class;
  const auto& plans = pass.tail ? pass.space.tail_plans : pass.space.plans;
  kernels::Attend(
      pass.worker, KvOf(pass, layer), AttentionOf(pass.config, layer.index), plans[kv_class],
      {pass.space.q.data(), pass.space.attention.data(), pass.config.heads * pass.config.head_dim});
}

void ObserveStates(const Pass& pass, std::size_t layer) {
  const Worker::Range own = pass.Own();
  for (std::size_t row = own.begin; row < own.end; ++row) {
    pass.step.observer->OnState(layer, pass.Position(row), {pass.Hidden(row), pass.config.hidden});
  }
}

void ObserveHeads(const Pass& pass, std::size_t layer) {
  const std::size_t q_width = pass.config.heads * pass.config.head_dim;
  const std::size_t kv_width = pass.config.kv_heads * pass.config.head_dim;
  const Worker::Range own = pass.Own();
  for (std::size_t row = own.begin; row < own.end; ++row) {
    const float* query = pass.space.q.data() + row * q_width;
    const float* key = pass.space.kv.data() + row * 2 * kv_width;
    pass.step.observer->OnHeads(layer, pass.Position(row), {query, q_width}, {key, kv_width});
  }
}

}  // namespace

kernels::AttentionParams AttentionOf(const ModelConfig& config, std::size_t layer) {
  kernels::AttentionParams params;
  params.heads = config.heads;
  params.scale = config.attention_scale;
  params.soft_cap = config.attention_soft_cap;
  params.window = config.layers[layer].window;
  return params;
}

void SelfAttention(Pass& pass, const LayerWeights& layer) {
  const std::size_t q_width = pass.config.heads * pass.config.head_dim;
  const std::size_t kv_width = pass.config.kv_heads * pass.config.head_dim;
  Workspace& space = pass.space;
  if (pass.Observed()) ObserveStates(pass, layer.index);
  const std::array<kernels::Product, 3> products = {{
      {&layer.q.weights, space.q.data(), q_width},
      {&layer.k.weights, space.kv.data(), 2 * kv_width},
      {&layer.v.weights, space.kv.data() + kv_width, 2 * kv_width},
  }};
  kernels::MatMul(pass.worker, pass.inputs().x, products);
  pass.worker.Barrier();
  PrepareRows(pass, layer);
  pass.worker.Barrier();
  if (pass.Observed()) ObserveHeads(pass, layer.index);
  if (layer.index + 1 == pass.weights.layers.size()) pass.tail = true;
  if (pass.rows() == 0) return;

  AttendRows(pass, layer);
  pass.worker.Barrier();
  const Worker::Range own = pass.Own();
  for (std::size_t i = own.begin; i < own.end; ++i) {
    pass.inputs().attention.SetRow(i, space.attention.data() + pass.Source(i) * q_width);
  }
  pass.Publish();
  const kernels::Product output = {&layer.o.weights, space.branch.data(), pass.config.hidden};
  kernels::MatMul(pass.worker, pass.inputs().attention, {&output, 1});
  pass.worker.Barrier();
}

}  // namespace ergo::model
