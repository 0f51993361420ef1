#include "model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/cpu.h"
#include "model/arch/architecture.h"

namespace ergo::model {
namespace {

/// One class for each distinct window.
void ClassifyLayers(kernels::KvType type, Network& network) {
  const ModelConfig& config = network.config;
  for (const LayerConfig& layer : config.layers) {
    auto found = std::find_if(network.kv_classes.begin(), network.kv_classes.end(),
                              [&](const KvClass& c) { return c.window == layer.window; });
    if (found == network.kv_classes.end()) {
      const kernels::KvLayout layout = {type, 0, config.kv_heads, config.head_dim};
      found = network.kv_classes.insert(found, {layout, layer.window});
    }
    network.layer_kv.push_back(
        {static_cast<std::size_t>(found - network.kv_classes.begin()), found->layout.layers++});
  }
}

Status MakeRopes(const formats::ModelFiles& files, std::size_t context, Network& network) {
  for (kernels::RopeConfig& config : network.config.ropes) {
    config.context = context;
    auto rope = kernels::Rope::Create(config);
    if (!rope) {
      Error error = std::move(rope).error();
      error.where = files.path;
      return tl::unexpected(std::move(error));
    }
    network.ropes.push_back(*std::move(rope));
  }
  return {};
}

/// Whether the sequences of every class cover rows 0 … rows-1 in order.
bool Covers(std::span<const kernels::SequenceRows> sequences, std::size_t rows) {
  std::size_t next = 0;
  for (const kernels::SequenceRows& sequence : sequences) {
    if (sequence.first_row != next || sequence.rows == 0) return false;
    next += sequence.rows;
  }
  return next == rows;
}

}  // namespace

Result<std::unique_ptr<Model>> Model::Load(const formats::ModelFiles& files,
                                           const LoadOptions& options) {
  // A path that was asked for and isn't there must not be replaced silently.
  if (auto path = ChooseCpuPath(); !path) return Fail(std::move(path));
  auto architecture = FindArchitecture(files);
  if (!architecture) return Fail(std::move(architecture));
  auto config = ReadConfig(files, **architecture);
  if (!config) return Fail(std::move(config));

  std::unique_ptr<Model> model(new Model());
  Network& network = model->network_;
  network.config = *std::move(config);
  network.forward = (*architecture)->forward;
  if (auto made = MakeRopes(files, options.context, network); !made) return Fail(std::move(made));
  ClassifyLayers(options.kv, network);

  WeightOptions weight_options;
  weight_options.pack = options.pack;
  weight_options.pool = options.pool != nullptr ? options.pool : &ComputePool::Shared();
  weight_options.threads = options.threads > 0 ? options.threads : weight_options.pool->size();
  auto weights = LoadWeights(files, **architecture, weight_options, network.config);
  if (!weights) return Fail(std::move(weights));
  network.weights = *std::move(weights);
  network.fine_head = kernels::TakesRemainders(network.weights.head.weights);
  model->mappings_ = files.mappings;
  return model;
}

std::size_t Model::weight_bytes() const {
  std::size_t bytes = network_.weights.vector_bytes;
  for (const TensorReport& tensor : network_.weights.report) bytes += tensor.bytes;
  return bytes;
}

double Model::PromptOperations(std::size_t tokens) const {
  double total = 0;
  for (const LayerWeights& layer : network_.weights.layers) {
    for (const Linear* linear :
         {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
      total += 2.0 * static_cast<double>(linear->weights.outputs()) *
               static_cast<double>(linear->weights.inputs()) * static_cast<double>(tokens);
    }
    const std::size_t window = config().layers[layer.index].window;
    double seen = 0;
    for (std::size_t row = 1; row <= tokens; ++row) {
      seen += static_cast<double>(window == 0 ? row : std::min(row, window));
    }
    total += 4.0 * static_cast<double>(config().heads * config().head_dim) * seen;
  }
  return total;
}

std::size_t Model::kv_bytes_per_token() const {
  std::size_t bytes = 0;
  for (const KvClass& c : network_.kv_classes) bytes += c.layout.BlockBytes();
  return bytes / kernels::kBlockTokens;
}

Status Model::Forward(const Step& step, Workspace& space) const {
  const std::size_t rows = step.tokens.size();
  if (rows == 0) return {};
  if (rows > space.options().max_rows) {
    return Fail(
        fmt::format("a step of {} tokens is over the limit of {}", rows, space.options().max_rows),
        "model");
  }
  for (const std::int32_t token : step.tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= config().vocabulary) {
      return Fail(fmt::format("there is no token {}", token), "model",
                  fmt::format("token ids are 0 to {}", config().vocabulary - 1));
    }
  }
  const bool covered = step.kv.size() == kv_classes().size() &&
                       std::all_of(step.kv.begin(), step.kv.end(),
                                   [&](const KvStep& kv) { return Covers(kv.sequences, rows); });
  const bool ascending = std::adjacent_find(step.logit_rows.begin(), step.logit_rows.end(),
                                            std::greater_equal<>()) == step.logit_rows.end() &&
                         (step.logit_rows.empty() || step.logit_rows.back() < rows);
  if (!covered || !ascending) {
    return Fail("the sequences of a step do not cover its rows", "model");
  }
  space.Prepare(network_, step);
  ComputePool& pool =
      space.options().pool != nullptr ? *space.options().pool : ComputePool::Shared();
  pool.Run(space.options().threads, [&](Worker& worker) {
    Pass pass(worker, network_, step, space);
    network_.forward(pass);
  });
  return {};
}

}  // namespace ergo::model
