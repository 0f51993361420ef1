#include "model/blocks/blocks.h"

namespace ergo::model {
namespace {

kernels::Gating GatingOf(Activation activation) {
  switch (activation) {
    case Activation::kSilu:
      return kernels::Gating::kSilu;
    case Activation::kGeluTanh:
      break;
  }
  return kernels::Gating::kGeluTanh;
}

const float* BiasOf(const Linear& linear) {
  return linear.bias.empty() ? nullptr : linear.bias.data();
}

}  // namespace

void GatedMlp(Pass& pass, const LayerWeights& layer) {
  if (pass.rows() == 0) return;
  kernels::Activations& gated = pass.gated();
  kernels::GatedMatMul(pass.worker, pass.inputs().x,
                       {&layer.gate.weights, &layer.up.weights, BiasOf(layer.gate),
                        BiasOf(layer.up), GatingOf(pass.config.activation)},
                       gated);
  pass.worker.Barrier();
  const kernels::Product down = {&layer.down.weights, pass.space.branch.data(), pass.config.hidden};
  kernels::MatMul(pass.worker, gated, {&down, 1});
  pass.worker.Barrier();
}

}  // namespace ergo::model
