// The residual stream: where it starts, how blocks read it and add to it, and where it ends.
#include <algorithm>
#include <span>

#include "kernels/activation/activation.h"
#include "kernels/norm/norm.h"
#include "kernels/softmax/softmax.h"
#include "model/blocks/blocks.h"

namespace ergo::model {

void Embed(Pass& pass) {
  const Worker::Range own = pass.Own();
  for (std::size_t row = own.begin; row < own.end; ++row) {
    float* h = pass.Hidden(row);
    kernels::DecodeRow(pass.weights.embedding, static_cast<std::size_t>(pass.step.tokens[row]), h);
    if (pass.config.embedding_scale != 1.0f) {
      kernels::ScaleInPlace(h, pass.config.embedding_scale, pass.config.hidden);
    }
    for (std::size_t rope = 0; rope < pass.network.ropes.size(); ++rope) {
      pass.network.ropes[rope].Angles(pass.Position(row), pass.Angles(row, rope));
    }
  }
}

namespace {

/// Rows are shared out; set(i, row) takes normalized row i.
template <typename Set>
void NormalizeRows(Pass& pass, const std::vector<float>& weight, Set set) {
  const std::size_t n = pass.config.hidden;
  float* row = pass.lane.row.data();
  const Worker::Range own = pass.Own();
  for (std::size_t i = own.begin; i < own.end; ++i) {
    kernels::RmsNorm(pass.Hidden(i), weight.data(), pass.config.norm_epsilon, n, row);
    set(i, std::span<const float>(row, n));
  }
  pass.Publish();
}

}  // namespace

void Normalize(Pass& pass, const std::vector<float>& weight) {
  kernels::Activations& x = pass.inputs().x;
  NormalizeRows(pass, weight, [&](std::size_t i, auto row) { x.SetRow(i, row.data()); });
}

void Accumulate(Pass& pass, const Linear& from, const std::vector<float>& post_norm) {
  const std::size_t n = pass.config.hidden;
  float* scratch = pass.lane.row.data();
  const Worker::Range own = pass.Own();
  for (std::size_t i = own.begin; i < own.end; ++i) {
    const float* y = pass.space.branch.data() + i * n;
    if (!from.bias.empty()) {
      std::copy_n(y, n, scratch);
      kernels::AddInPlace(scratch, from.bias.data(), n);
      y = scratch;
    }
    if (!post_norm.empty()) {
      kernels::RmsNorm(y, post_norm.data(), pass.config.norm_epsilon, n, scratch);
      y = scratch;
    }
    kernels::AddInPlace(pass.Hidden(i), y, n);
  }
}

void Head(Pass& pass) {
  if (pass.rows() == 0) return;
  const std::size_t vocabulary = pass.config.vocabulary;
  const kernels::Product product = {&pass.weights.head.weights, pass.step.logits, vocabulary};
  kernels::Activations& x = pass.inputs().x;
  kernels::Remainders& rest = pass.inputs().rest;
  const bool fine = pass.network.fine_head;
  NormalizeRows(pass, pass.weights.final_norm, [&](std::size_t i, auto row) {
    fine ? rest.SetRow(i, row, x) : x.SetRow(i, row.data());
    if (!pass.Observed()) return;
    pass.step.observer->OnState(pass.weights.layers.size(), pass.Position(pass.Source(i)), row);
  });
  if (fine) {
    kernels::MatMul(pass.worker, x, rest, product);
  } else {
    kernels::MatMul(pass.worker, x, {&product, 1});
  }
  const float scale = pass.config.logit_scale;
  const float cap = pass.config.logit_soft_cap;
  if (scale == 1.0f && cap == 0.0f) return;
  pass.worker.Barrier();
  const Worker::Range own = pass.worker.Share(pass.rows() * vocabulary, kernels::kPanelOutputs);
  float* part = pass.step.logits + own.begin;
  if (scale != 1.0f) kernels::ScaleInPlace(part, scale, own.end - own.begin);
  if (cap != 0.0f) kernels::SoftCap(part, own.end - own.begin, cap);
}

void PreNormDecoder(Pass& pass) {
  Embed(pass);
  for (const LayerWeights& layer : pass.weights.layers) {
    Normalize(pass, layer.attention_norm);
    SelfAttention(pass, layer);
    Accumulate(pass, layer.o);
    Normalize(pass, layer.mlp_norm);
    GatedMlp(pass, layer);
    Accumulate(pass, layer.down);
  }
  Head(pass);
}

}  // namespace ergo::model
