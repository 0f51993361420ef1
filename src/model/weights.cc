#include "model/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

#include "base/utf8.h"

namespace ergo::model {
namespace {

using formats::ModelFiles;
using kernels::PackAs;
using kernels::PackedMatrix;

/// Panels that a thread claims at once: enough work to hide the claim.
constexpr std::size_t kPanelsPerClaim = 4;
constexpr std::size_t kBlockValues = 32;

/// A matrix that waits to be packed.
struct Pending {
  PackedMatrix* matrix;
  TensorView source;
};

class Loader {
 public:
  Loader(const ModelFiles& files, const Architecture& architecture, PackAs pack,
         ModelConfig& config)
      : files_(files), architecture_(architecture), pack_(pack), config_(config) {}

  Status Resolve(Weights& weights);
  void Pack(ComputePool& pool, int threads);

 private:
  bool gguf() const { return files_.kind == ModelFiles::Kind::kGguf; }
  Status FindEmbedding(Weights& weights);
  Status ResolveLayer(std::size_t index, LayerWeights& layer, Weights& weights);

  Result<const TensorView*> Find(const std::string& name, std::span<const std::size_t> shape) const;
  Status TakeMatrix(const std::string& name, std::array<std::size_t, 2> shape, Linear& linear,
                    Weights& weights);
  Result<std::vector<float>> TakeVector(const std::string& name, std::size_t size,
                                        Weights& weights) const;
  Status TakeNorm(const std::string& name, std::size_t size, std::vector<float>& norm,
                  Weights& weights) const;
  /// File's name of a layer's tensor, without ".weight"; empty if the family has no such role.
  std::string LayerName(std::size_t index, std::string_view role) const;
  void Release(const TensorView& tensor) const;

  const ModelFiles& files_;
  const Architecture& architecture_;
  PackAs pack_;
  ModelConfig& config_;
  std::string prefix_;  ///< Hugging Face: what stands before "embed_tokens.weight"
  std::string head_prefix_;
  std::vector<Pending> pending_;
};

std::string ShapeText(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<const TensorView*> Loader::Find(const std::string& name,
                                       std::span<const std::size_t> shape) const {
  const TensorView* tensor = files_.Find(name);
  if (tensor == nullptr) {
    return Fail("the tensor " + QuoteForMessage(name) + " is missing", files_.path,
                "the model's files are incomplete or of another architecture; fetch them again");
  }
  const bool fits = std::equal(tensor->shape.begin(), tensor->shape.end(), shape.begin(),
                               shape.end(), [](std::int64_t have, std::size_t want) {
                                 return have >= 0 && static_cast<std::size_t>(have) == want;
                               });
  if (!fits) {
    return Fail(
        fmt::format("the tensor {} has the shape {}, but the configuration asks for [{}]",
                    QuoteForMessage(name), ShapeText(tensor->shape), fmt::join(shape, ", ")),
        files_.path, "configuration and weights do not belong together");
  }
  return tensor;
}

Status Loader::TakeMatrix(const std::string& name, std::array<std::size_t, 2> shape, Linear& linear,
                          Weights& weights) {
  auto tensor = Find(name, shape);
  if (!tensor) return Fail(std::move(tensor));
  const PackAs as = PackingOf(static_cast<std::size_t>(shape[1]), pack_);
  auto packed = PackedMatrix::Create(**tensor, as);
  if (!packed) {
    Error error = std::move(packed).error();
    error.what = "tensor " + QuoteForMessage(name) + ": " + error.what;
    error.where = files_.path;
    return tl::unexpected(std::move(error));
  }
  linear.weights = *std::move(packed);
  pending_.push_back({&linear.weights, **tensor});
  weights.report.push_back({name, (*tensor)->shape, (*tensor)->dtype, linear.weights.dtype(),
                            linear.weights.bytes(), std::string(linear.weights.kernel())});
  return {};
}

Result<std::vector<float>> Loader::TakeVector(const std::string& name, std::size_t size,
                                              Weights& weights) const {
  auto tensor = Find(name, std::array{size});
  if (!tensor) return Fail(std::move(tensor));
  const DType dtype = (*tensor)->dtype;
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) {
    return Fail(fmt::format("the tensor {} is {}", QuoteForMessage(name), Info(dtype).name),
                files_.path, "vectors must be F32, F16 or BF16");
  }
  TensorView row = **tensor;
  row.shape.insert(row.shape.begin(), 1);
  std::vector<float> values(size);
  kernels::DecodeRow(row, 0, values.data());
  weights.vector_bytes += size * sizeof(float);
  return values;
}

Status Loader::TakeNorm(const std::string& name, std::size_t size, std::vector<float>& norm,
                        Weights& weights) const {
  auto values = TakeVector(name + ".weight", size, weights);
  if (!values) return Fail(std::move(values));
  norm = *std::move(values);
  if (config_.norms_add_one) {
    for (float& w : norm) w += 1.0f;
  }
  return {};
}

std::string Loader::LayerName(std::size_t index, std::string_view role) const {
  for (const TensorName& name : architecture_.layer_tensors) {
    if (name.role != role) continue;
    return gguf() ? fmt::format("blk.{}.{}", index, name.gguf)
                  : fmt::format("{}layers.{}.{}", prefix_, index, name.hf);
  }
  return {};
}

Status Loader::FindEmbedding(Weights& weights) {
  std::string name = "token_embd.weight";
  std::string head = "output.weight";
  if (!gguf()) {
    // Text models, and text models inside multimodal ones in their older and newer form.
    constexpr std::array<std::array<std::string_view, 2>, 4> kPrefixes = {{
        {"model.", ""},
        {"language_model.model.", "language_model."},
        {"model.language_model.", ""},
        {"", ""},
    }};
    prefix_ = kPrefixes[0][0];
    for (const auto& [prefix, head_prefix] : kPrefixes) {
      if (files_.Find(std::string(prefix) + "embed_tokens.weight") == nullptr) continue;
      prefix_ = prefix;
      head_prefix_ = head_prefix;
      break;
    }
    name = prefix_ + "embed_tokens.weight";
    head = head_prefix_ + "lm_head.weight";
  }
  const std::array shape = {config_.vocabulary, config_.hidden};
  auto embedding = Find(name, shape);
  if (!embedding) return Fail(std::move(embedding));
  weights.embedding = **embedding;
  config_.tied_head = files_.Find(head) == nullptr;
  if (config_.tied_head && config_.separate_head) return Fail(Find(head, shape));
  return TakeMatrix(config_.tied_head ? name : head, shape, weights.head, weights);
}

Status Loader::ResolveLayer(std::size_t index, LayerWeights& layer, Weights& weights) {
  const std::size_t hidden = config_.hidden;
  const std::size_t q_width = config_.heads * config_.head_dim;
  const std::size_t kv_width = config_.kv_heads * config_.head_dim;
  layer.index = index;

  struct Norm {
    std::string_view role;
    std::vector<float>* values;
    std::size_t size;
    bool wanted;
  };
  const Norm norms[] = {
      {"attention.norm", &layer.attention_norm, hidden, true},
      {"attention.q_norm", &layer.q_norm, config_.head_dim, config_.qk_norm},
      {"attention.k_norm", &layer.k_norm, config_.head_dim, config_.qk_norm},
      {"attention.post_norm", &layer.attention_post_norm, hidden, config_.post_norms},
      {"mlp.norm", &layer.mlp_norm, hidden, true},
      {"mlp.post_norm", &layer.mlp_post_norm, hidden, config_.post_norms},
  };
  for (const Norm& norm : norms) {
    if (!norm.wanted) continue;
    if (auto done = TakeNorm(LayerName(index, norm.role), norm.size, *norm.values, weights);
        !done) {
      return done;
    }
  }

  struct Matrix {
    std::string_view role;
    Linear* linear;
    std::array<std::size_t, 2> shape;
    bool bias;
  };
  const Matrix matrices[] = {
      {"attention.q", &layer.q, {q_width, hidden}, config_.qkv_bias},
      {"attention.k", &layer.k, {kv_width, hidden}, config_.qkv_bias},
      {"attention.v", &layer.v, {kv_width, hidden}, config_.qkv_bias},
      {"attention.o", &layer.o, {hidden, q_width}, config_.o_bias},
      {"mlp.gate", &layer.gate, {config_.intermediate, hidden}, config_.mlp_bias},
      {"mlp.up", &layer.up, {config_.intermediate, hidden}, config_.mlp_bias},
      {"mlp.down", &layer.down, {hidden, config_.intermediate}, config_.mlp_bias},
  };
  for (const Matrix& matrix : matrices) {
    const std::string name = LayerName(index, matrix.role);
    auto taken = TakeMatrix(name + ".weight", matrix.shape, *matrix.linear, weights);
    if (!taken) return taken;
    if (!matrix.bias) continue;
    auto bias = TakeVector(name + ".bias", matrix.shape[0], weights);
    if (!bias) return Fail(std::move(bias));
    matrix.linear->bias = *std::move(bias);
  }
  return {};
}

Status Loader::Resolve(Weights& weights) {
  if (auto done = FindEmbedding(weights); !done) return done;
  weights.layers.resize(config_.layers.size());
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    if (auto done = ResolveLayer(i, weights.layers[i], weights); !done) return done;
  }
  const std::string norm = gguf() ? "output_norm" : prefix_ + "norm";
  return TakeNorm(norm, config_.hidden, weights.final_norm, weights);
}

void Loader::Release(const TensorView& tensor) const {
  for (const MappedFile& file : files_.mappings) {
    const std::byte* begin = file.bytes().data();
    if (tensor.data.data() >= begin && tensor.data.data() < begin + file.bytes().size()) {
      file.Release(tensor.data);
    }
  }
}

void Loader::Pack(ComputePool& pool, int threads) {
  // In the order of the file, so that it is read from front to back.
  std::sort(pending_.begin(), pending_.end(), [](const Pending& a, const Pending& b) {
    return a.source.data.data() < b.source.data.data();
  });
  std::vector<std::size_t> first_claim;  // of each matrix
  std::size_t claims = 0;
  const auto left = std::make_unique<std::atomic<std::size_t>[]>(pending_.size());
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const std::size_t own = (pending_[i].matrix->panels() + kPanelsPerClaim - 1) / kPanelsPerClaim;
    first_claim.push_back(claims);
    left[i].store(own, std::memory_order_relaxed);
    claims += own;
  }
  pool.Run(threads, [&](Worker& worker) {
    for (std::size_t claim = worker.Claim(); claim < claims; claim = worker.Claim()) {
      const auto after = std::upper_bound(first_claim.begin(), first_claim.end(), claim);
      const auto i = static_cast<std::size_t>(after - first_claim.begin()) - 1;
      const Pending& pending = pending_[i];
      const std::size_t begin = (claim - first_claim[i]) * kPanelsPerClaim;
      pending.matrix->PackPanels(begin,
                                 std::min(begin + kPanelsPerClaim, pending.matrix->panels()));
      if (left[i].fetch_sub(1, std::memory_order_acq_rel) == 1) Release(pending.source);
    }
  });
}

}  // namespace

kernels::PackAs PackingOf(std::size_t inputs, kernels::PackAs wanted) {
  const bool quantizing = wanted == PackAs::kInt8 || wanted == PackAs::kInt4;
  return quantizing && inputs % kBlockValues != 0 ? PackAs::kSource : wanted;
}

Result<Weights> LoadWeights(const ModelFiles& files, const Architecture& architecture,
                            const WeightOptions& options, ModelConfig& config) {
  Weights weights;
  Loader loader(files, architecture, options.pack, config);
  if (auto done = loader.Resolve(weights); !done) return Fail(std::move(done));
  loader.Pack(options.pool != nullptr ? *options.pool : ComputePool::Shared(), options.threads);
  return weights;
}

}  // namespace ergo::model
