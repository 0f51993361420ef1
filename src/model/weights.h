// The weights of a model, packed for the kernels.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/compute_pool.h"
#include "base/result.h"
#include "formats/model_files.h"
#include "kernels/matmul/matmul.h"
#include "model/arch/architecture.h"
#include "model/config.h"

namespace ergo::model {

/// out = x · weightsᵀ + bias.
struct Linear {
  kernels::PackedMatrix weights;
  std::vector<float> bias;  ///< [outputs], or empty
};

struct LayerWeights {
  std::size_t index = 0;
  std::vector<float> attention_norm;       ///< [hidden]
  std::vector<float> q_norm;               ///< [head_dim], or empty
  std::vector<float> k_norm;               ///< [head_dim], or empty
  std::vector<float> attention_post_norm;  ///< [hidden], or empty
  std::vector<float> mlp_norm;             ///< [hidden]
  std::vector<float> mlp_post_norm;        ///< [hidden], or empty
  Linear q;                                ///< [heads · head_dim, hidden]
  Linear k;                                ///< [kv_heads · head_dim, hidden]
  Linear v;                                ///< [kv_heads · head_dim, hidden]
  Linear o;                                ///< [hidden, heads · head_dim]
  Linear gate;                             ///< [intermediate, hidden]
  Linear up;                               ///< [intermediate, hidden]
  Linear down;                             ///< [hidden, intermediate]
};

/// How one matrix is held, for reports.
struct TensorReport {
  std::string name;
  std::vector<std::int64_t> shape;
  DType file_dtype = DType::kF32;
  DType dtype = DType::kF32;  ///< as packed
  std::size_t bytes = 0;      ///< as packed: what one token reads
  std::string kernel;
};

struct Weights {
  TensorView embedding;  ///< [vocabulary, hidden], in the mapped file: rows are decoded on demand
  Linear head;           ///< [vocabulary, hidden]
  std::vector<float> final_norm;
  std::vector<LayerWeights> layers;
  std::vector<TensorReport> report;  ///< every matrix, in the order of the model
  std::size_t vector_bytes = 0;      ///< norms and biases
};

struct WeightOptions {
  kernels::PackAs pack = kernels::PackAs::kSource;
  int threads = 1;
  ComputePool* pool = nullptr;
};

/// How a matrix with rows of `inputs` values is packed where `wanted` is asked for: rows that are
/// no whole blocks are not quantized.
kernels::PackAs PackingOf(std::size_t inputs, kernels::PackAs wanted);

/// Finds, checks and packs all tensors; sets config.tied_head. The pages of a tensor are released
/// when it has been packed. `files` must outlive the weights' embedding. Errors name file and
/// tensor: missing, wrong shape, a format without a kernel.
Result<Weights> LoadWeights(const formats::ModelFiles& files, const Architecture& architecture,
                            const WeightOptions& options, ModelConfig& config);

}  // namespace ergo::model
