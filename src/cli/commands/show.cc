// `ergo show`: what a model is made of.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/engine_choice.h"
#include "cli/model_choice.h"
#include "cli/terminal.h"
#include "formats/model_files.h"
#include "kernels/attention/attention.h"
#include "kernels/matmul/matmul.h"
#include "model/config.h"
#include "model/model.h"
#include "model/weights.h"
#include "tokenizer/tokenizer.h"

namespace ergo::cli {

namespace {

struct Settings {
  EngineChoice engine;
  std::vector<std::string> argument;
  std::string dump;
  bool tensors = false;
  bool kernels = false;
  bool chat_template = false;
};

std::string Megabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string Row(std::string_view label, const std::string& value) {
  return Styled(Style::kBold, fmt::format("{:<12}", label), STDOUT_FILENO) + ' ' + value + '\n';
}

std::string Shape(const TensorView& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.shape) {
    text += fmt::format("{}{}", text.empty() ? "" : " x ", size);
  }
  return text;
}

/// "blk.17.attn_q.weight" -> "blk.*.attn_q.weight"
std::string WithoutNumbers(const std::string& name) {
  std::string pattern;
  bool at_start = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    std::size_t end = i;
    while (at_start && end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
    if (end > i && (end == name.size() || name[end] == '.')) {
      pattern += '*';
      i = end - 1;
      at_start = false;
    } else {
      pattern += name[i];
      at_start = name[i] == '.';
    }
  }
  return pattern;
}

struct Group {
  std::size_t count = 0;
  std::uint64_t bytes = 0;
};

std::string FormatsLine(const formats::ModelFiles& files) {
  std::map<std::string_view, std::uint64_t> bytes;
  std::uint64_t total = 0;
  for (const TensorView& tensor : files.tensors) {
    bytes[Info(tensor.dtype).name] += tensor.data.size();
    total += tensor.data.size();
  }
  std::vector<std::pair<std::string_view, std::uint64_t>> sorted(bytes.begin(), bytes.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string line;
  for (const auto& [name, part] : sorted) {
    line += fmt::format("{}{} {:.1f}%", line.empty() ? "" : ", ", name,
                        100.0 * static_cast<double>(part) / static_cast<double>(total));
  }
  return line;
}

/// Tensors that differ only by the layer's number, dtype and shape alike, in one line.
std::string TensorTable(const formats::ModelFiles& files, bool each) {
  std::vector<std::string> order;
  std::map<std::string, Group> groups;
  for (const TensorView& tensor : files.tensors) {
    const std::string key =
        fmt::format("{:<44} {:<6} {:<16}", each ? tensor.name : WithoutNumbers(tensor.name),
                    Info(tensor.dtype).name, Shape(tensor));
    Group& group = groups[key];
    if (group.count == 0) order.push_back(key);
    ++group.count;
    group.bytes += tensor.data.size();
  }
  std::string text;
  for (const std::string& key : order) {
    const Group& group = groups[key];
    text += fmt::format("  {} {:>11}", key, Megabytes(group.bytes));
    text += group.count > 1 ? fmt::format(" in {}\n", group.count) : "\n";
  }
  return text;
}

std::string FamilyRows(const model::ModelConfig& config) {
  std::size_t windowed = 0;
  std::size_t window = 0;
  for (const model::LayerConfig& layer : config.layers) {
    if (layer.window == 0) continue;
    ++windowed;
    window = layer.window;
  }
  std::string layers = fmt::format("{} of {} values", config.layers.size(), config.hidden);
  if (windowed > 0) layers += fmt::format("; {} see {} tokens only", windowed, window);
  std::string text = Row("family", config.architecture);
  text += Row("layers", layers);
  text += Row("attention", fmt::format("{} heads of {} on {} key/value heads", config.heads,
                                       config.head_dim, config.kv_heads));
  text += Row("feed-forward", fmt::format("{} values", config.intermediate));
  text += Row("context", fmt::format("{} tokens", config.context_length));
  return text;
}

std::string TokenizerRows(const tokenizer::Tokenizer& tokenizer) {
  std::string ends;
  for (const tokenizer::TokenId id : tokenizer.end_of_generation()) {
    ends += fmt::format("{}{}", ends.empty() ? "" : " ", tokenizer.Piece(id));
  }
  std::string text =
      Row("vocabulary", fmt::format("{} tokens; an answer ends with {}", tokenizer.size(), ends));
  const std::size_t size = tokenizer.chat_template().size();
  text += Row("template",
              size == 0 ? "none" : fmt::format("{} characters (--template prints it)", size));
  return text;
}

/// What the weights take as they are packed.
std::uint64_t WeightBytes(const formats::ModelFiles& files, kernels::PackAs pack) {
  std::uint64_t bytes = 0;
  for (const TensorView& tensor : files.tensors) {
    std::optional<std::uint64_t> packed;
    if (tensor.shape.size() == 2) {
      const auto inputs = static_cast<std::size_t>(tensor.shape[1]);
      const DType dtype = kernels::PackedDType(tensor.dtype, model::PackingOf(inputs, pack));
      packed = BytesFor(dtype, static_cast<std::uint64_t>(tensor.elements()));
    }
    bytes += packed.value_or(tensor.data.size());
  }
  return bytes;
}

/// What loading will take.
std::string MemoryRow(const model::ModelConfig& config, const model::LoadOptions& options,
                      std::uint64_t weight_bytes) {
  const kernels::KvLayout layout = {options.kv, 1, config.kv_heads, config.head_dim};
  std::size_t least = SIZE_MAX;  // of windows; 0 is none
  std::size_t widest = 0;
  for (const model::LayerConfig& layer : config.layers) {
    least = std::min(least, layer.window);
    widest = std::max(widest, layer.window);
  }
  // What a sequence gives back while it runs is not counted (runtime/kv/sequence_cache.h).
  const auto at = [&](std::uint64_t tokens) {
    const std::uint64_t all = (tokens + kernels::kBlockTokens - 1) / kernels::kBlockTokens;
    std::uint64_t blocks = 0;
    for (const model::LayerConfig& layer : config.layers) {
      const bool keeps_all = layer.window == 0 || (least != 0 && layer.window == widest);
      blocks +=
          keeps_all ? all : std::min<std::uint64_t>(all, layer.window / kernels::kBlockTokens + 2);
    }
    return Megabytes(blocks * layout.BlockBytes());
  };
  const std::uint64_t some = std::min<std::uint64_t>(4096, config.context_length);
  return Row("memory", fmt::format("{} of weights; keys and values ({}) {} at {} tokens, {} at {}",
                                   Megabytes(weight_bytes), kernels::Name(options.kv), at(some),
                                   some, at(config.context_length), config.context_length));
}

Result<std::string> Describe(const formats::ModelFiles& files, const Settings& settings) {
  const auto options = LoadOptionsFor(settings.engine);
  if (!options) return tl::unexpected(options.error());
  const auto architecture = model::FindArchitecture(files);
  if (!architecture) return tl::unexpected(architecture.error());
  const auto config = model::ReadConfig(files, **architecture);
  if (!config) return tl::unexpected(config.error());
  std::string text = Row("model", files.path);
  if (!config->name.empty()) text += Row("name", config->name);
  text += FamilyRows(*config);
  const auto tokenizer = tokenizer::Tokenizer::Load(files);
  text += tokenizer ? TokenizerRows(*tokenizer) : Row("tokenizer", tokenizer.error().Message());
  if (files.tensors.empty()) return text;

  std::uint64_t bytes = 0;
  std::uint64_t parameters = 0;
  for (const TensorView& tensor : files.tensors) {
    bytes += tensor.data.size();
    parameters += static_cast<std::uint64_t>(tensor.elements());
  }
  text += Row("parameters", fmt::format("{:.1f} million in {}",
                                        static_cast<double>(parameters) / 1e6, Megabytes(bytes)));
  text += MemoryRow(*config, *options, WeightBytes(files, options->pack));
  text += Row("formats", FormatsLine(files));
  text += TensorTable(files, settings.tensors);
  return text;
}

/// Which path reads which matrix; loads the model, since packing decides.
Result<std::string> Kernels(const Settings& settings) {
  const Result<LoadedModel> loaded = LoadModel(settings.engine);
  if (!loaded) return tl::unexpected(loaded.error());
  std::string text;
  for (const model::TensorReport& tensor : loaded->model->tensors()) {
    std::string format(Info(tensor.file_dtype).name);
    if (tensor.dtype != tensor.file_dtype) format += fmt::format(" -> {}", Info(tensor.dtype).name);
    text += fmt::format("{:<32} {:<12} {:>10}  {}\n", tensor.name, format, Megabytes(tensor.bytes),
                        tensor.kernel);
  }
  text += fmt::format("a token reads {}\n", Megabytes(loaded->model->bytes_per_token()));
  return text;
}

Status Dump(const formats::ModelFiles& files, const std::string& name) {
  const TensorView* tensor = files.Find(name);
  if (!tensor)
    return Fail("there is no tensor " + name, files.path, "`ergo show --tensors` lists them");
  const DType dtype = tensor->dtype;
  const bool real = dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF32 ||
                    dtype == DType::kF64 || IsBlockFormat(dtype);
  if (!real) return Fail(fmt::format("{} is not decoded to fp32", Info(dtype).name), name);
  const auto columns = static_cast<std::size_t>(tensor->shape.empty() ? 1 : tensor->shape.back());
  if (columns == 0) return {};
  TensorView table = *tensor;
  table.shape = {tensor->elements() / static_cast<std::int64_t>(columns),
                 static_cast<std::int64_t>(columns)};
  std::vector<float> row(columns);
  for (std::size_t i = 0; i < static_cast<std::size_t>(table.shape[0]); ++i) {
    kernels::DecodeRow(table, i, row.data());
    const std::string_view bytes(reinterpret_cast<const char*>(row.data()),
                                 row.size() * sizeof(float));
    if (Status printed = Print(bytes); !printed) return printed;
  }
  return {};
}

Result<int> Show(Settings settings) {
  if (!settings.argument.empty()) settings.engine.model = settings.argument[0];
  Result<std::string> text;
  if (settings.kernels) {
    text = Kernels(settings);
  } else {
    const Result<std::string> model = ChooseModel(settings.engine.model);
    if (!model) return tl::unexpected(model.error());
    const auto files = formats::Open(*model, {.need_weights = false, .weights_if_there = true});
    if (!files) return tl::unexpected(files.error());
    if (!settings.dump.empty()) {
      if (Status dumped = Dump(*files, settings.dump); !dumped) {
        return tl::unexpected(dumped.error());
      }
      return kOk;
    }
    if (settings.chat_template) {
      const auto tokenizer = tokenizer::Tokenizer::Load(*files);
      if (!tokenizer) return tl::unexpected(tokenizer.error());
      if (tokenizer->chat_template().empty()) return Fail("has no chat template", *model);
      text = tokenizer->chat_template();
    } else {
      text = Describe(*files, settings);
    }
  }
  if (!text) return tl::unexpected(text.error());
  if (Status printed = Print(*text); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Arguments(&settings->argument, 0, 1);
  options.Flag("--tensors", &settings->tensors, "a line for each tensor");
  options.Flag("--kernels", &settings->kernels, "load it and say which path reads which tensor");
  options.Flag("--template", &settings->chat_template, "print the chat template");
  options.Text("--dump", &settings->dump, "TENSOR", "write a tensor's values to stdout as fp32");
  AddEngineOptions(options, &settings->engine);
  AddFormatOptions(options, &settings->engine);
  return [settings] { return Show(*settings); };
}

}  // namespace

const Command kShow = {"show", "[options] [MODEL]", "Describe a model: family, sizes, formats",
                       Prepare};

}  // namespace ergo::cli
