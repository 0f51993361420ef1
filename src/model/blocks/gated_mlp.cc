#include <algorithm>
#include <array>

#include "kernels/activation/activation.h"
#include "model/blocks/blocks.h"

namespace ergo::model {
namespace {

/// out = activation(gate + bias) · (up + bias); `out` [2 · intermediate] is scratch beyond its
/// half.
void Activate(const Pass& pass, const LayerWeights& layer, const float* gate_up, float* out) {
  const std::size_t n = pass.config.intermediate;
  const float* gate = gate_up;
  const float* up = gate_up + n;
  if (!layer.gate.bias.empty()) {
    std::copy_n(gate_up, 2 * n, out);
    kernels::AddInPlace(out, layer.gate.bias.data(), n);
    kernels::AddInPlace(out + n, layer.up.bias.data(), n);
    gate = out;
    up = out + n;
  }
  switch (pass.config.activation) {
    case Activation::kSilu:
      return kernels::SwiGlu(gate, up, n, out);
    case Activation::kGeluTanh:
      return kernels::GeGluTanh(gate, up, n, out);
  }
}

}  // namespace

void GatedMlp(Pass& pass, const LayerWeights& layer) {
  if (pass.rows() == 0) return;
  const std::size_t n = pass.config.intermediate;
  float* gate_up = pass.space.gate_up.data();
  const std::array<kernels::Product, 2> products = {{
      {&layer.gate.weights, gate_up, 2 * n},
      {&layer.up.weights, gate_up + n, 2 * n},
  }};
  kernels::MatMul(pass.worker, pass.inputs().x, products);
  pass.worker.Barrier();
  const Worker::Range own = pass.Own();
  for (std::size_t i = own.begin; i < own.end; ++i) {
    Activate(pass, layer, gate_up + i * 2 * n, pass.lane.row.data());
    pass.inputs().mlp.SetRow(i, pass.lane.row.data());
  }
  pass.Publish();
  const kernels::Product down = {&layer.down.weights, pass.space.branch.data(), pass.config.hidden};
  kernels::MatMul(pass.worker, pass.inputs().mlp, {&down, 1});
  pass.worker.Barrier();
}

}  // namespace ergo::model
