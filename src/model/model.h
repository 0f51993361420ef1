// A model in memory, ready to compute: configuration, packed weights and the forward pass.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/compute_pool.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "formats/model_files.h"
#include "kernels/attention/attention.h"
#include "kernels/matmul/matmul.h"
#include "model/blocks/pass.h"
#include "model/config.h"
#include "model/weights.h"

namespace ergo::model {

struct LoadOptions {
  kernels::PackAs pack = kernels::PackAs::kSource;
  kernels::KvType kv = kernels::KvType::kF32;
  int threads = 0;              ///< for packing; 0: all of the pool
  std::size_t context = 0;      ///< tokens to make room for (dynamic RoPE); 0: the model's own
  ComputePool* pool = nullptr;  ///< nullptr: the process's
};

class Model {
 public:
  /// Reads the configuration, checks and packs the weights. The model keeps the files mapped, for
  /// rows of the embedding. Errors name file and key or tensor; ERGO_CPU
  /// asks for a path that is not there.
  static Result<std::unique_ptr<Model>> Load(const formats::ModelFiles& files,
                                             const LoadOptions& options = {});

  const ModelConfig& config() const { return network_.config; }
  const Network& network() const { return network_; }
  /// Classes of layers with block tables of their own; at least one.
  const std::vector<KvClass>& kv_classes() const { return network_.kv_classes; }

  /// How every matrix is held, and by which kernel it is read.
  const std::vector<TensorReport>& tensors() const { return network_.weights.report; }
  /// Bytes of weights in memory, without the mapped embedding.
  std::size_t weight_bytes() const;
  /// Bytes of weights that one token reads: everything packed, the embedding's row aside.
  std::size_t bytes_per_token() const { return weight_bytes(); }
  /// Multiplications and additions of a prompt of `tokens` in one sequence, each counted: products
  /// with the layers' matrices, and attention to what is seen. The output product, of one row, and
  /// the work between the products are left out.
  double PromptOperations(std::size_t tokens) const;
  /// Bytes of keys and values that one token adds.
  std::size_t kv_bytes_per_token() const;

  /// Computes one step on the threads of `space`: stores the keys and values of all rows and writes
  /// the wanted logits. A row's logits depend on its sequence up to that row alone, bit for bit.
  /// Block tables and arenas must be right; errors: a token outside the vocabulary, more rows than
  /// `space` holds, rows that the sequences don't cover.
  Status Forward(const Step& step, Workspace& space) const;

 private:
  Model() = default;

  Network network_;
  std::vector<MappedFile> mappings_;
};

}  // namespace ergo::model
