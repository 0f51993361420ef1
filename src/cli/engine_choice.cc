#include "cli/engine_choice.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/compute_pool.h"
#include "cli/model_choice.h"
#include "cli/terminal.h"

namespace ergo::cli {
namespace {

/// f32|f16|…
std::string KvNames() {
  std::string names;
  for (const kernels::KvType type : kernels::KvTypes()) {
    names += (names.empty() ? "" : "|") + std::string(kernels::Name(type));
  }
  return names;
}

}  // namespace

void AddEngineOptions(Options& options, EngineChoice* choice) {
  options.Text("-m,--model", &choice->model, "MODEL", "file, folder, org/name or listed name");
  options.Number("-t,--threads", &choice->threads, "N", "threads (default: all processors)",
                 {1, 1024});
}

void AddFormatOptions(Options& options, EngineChoice* choice) {
  options.Choice("--compute", &choice->compute, "fast|f32", "f32: the reference, slow and exact");
  options.Choice("--kv", &choice->kv, KvNames(), "format of keys and values (int8 or int12)");
  options.Choice("--quant", &choice->quant, "int8|int4", "hold the weights in this format");
}

void AddContextOption(Options& options, EngineChoice* choice) {
  options.Number("-c,--context", &choice->context, "N", "most tokens (default: the model's)",
                 {1, 1 << 30});
}

void AddMemoryOptions(Options& options, EngineChoice* choice) {
  options.Bytes("--kv-memory", &choice->kv_memory,
                "for keys and values (default: half of the free memory)");
  options.Text("--kv-dir", &choice->kv_dir, "DIR", "keep keys and values here for the next start");
  options.Bytes("--kv-disk", &choice->kv_disk, "most of it for one model (4G)");
  options.Text("--draft-model", &choice->draft, "MODEL", "a small one whose guesses save time");
}

Result<model::LoadOptions> LoadOptionsFor(const EngineChoice& choice) {
  model::LoadOptions options;
  options.threads = ThreadsOf(choice);
  options.context = static_cast<std::size_t>(choice.context.value_or(0));
  const bool reference = choice.compute == "f32";
  options.kv = reference ? kernels::KvType::kF32 : kernels::KvType::kInt12;
  for (const kernels::KvType type : kernels::KvTypes()) {
    if (choice.kv == kernels::Name(type)) options.kv = type;
  }
  if (reference) {
    if (!choice.quant.empty()) return Fail("--compute f32 and --quant exclude each other");
    options.pack = kernels::PackAs::kF32;
  } else if (choice.quant == "int8") {
    options.pack = kernels::PackAs::kInt8;
  } else if (choice.quant == "int4") {
    options.pack = kernels::PackAs::kInt4;
  }
  return options;
}

int ThreadsOf(const EngineChoice& choice) {
  const int most = ComputePool::Shared().size();
  return static_cast<int>(std::min<std::int64_t>(choice.threads.value_or(most), most));
}

Result<LoadedModel> LoadModel(const EngineChoice& choice) {
  const Result<model::LoadOptions> options = LoadOptionsFor(choice);
  if (!options) return tl::unexpected(options.error());
  const Result<std::string> name = ChooseModel(choice.model);
  if (!name) return tl::unexpected(name.error());
  LoadedModel loaded;
  auto files = formats::Open(*name);
  if (!files) return tl::unexpected(files.error());
  loaded.files = std::move(*files);
  auto model = model::Model::Load(loaded.files, *options);
  if (!model) return tl::unexpected(model.error());
  loaded.model = std::move(*model);
  return loaded;
}

Result<std::shared_ptr<generate::LanguageModel>> LoadLanguageModel(const EngineChoice& choice) {
  const Result<model::LoadOptions> load = LoadOptionsFor(choice);
  if (!load) return tl::unexpected(load.error());
  const Result<std::string> name = ChooseModel(choice.model);
  if (!name) return tl::unexpected(name.error());
  generate::LanguageModelOptions options;
  options.pack = load->pack;
  options.kv = load->kv;
  options.threads = load->threads;
  options.context = load->context;
  options.kv_bytes = static_cast<std::size_t>(choice.kv_memory.value_or(0));
  options.kv_dir = choice.kv_dir;
  options.draft = choice.draft;
  if (choice.kv_disk) options.kv_disk = static_cast<std::size_t>(*choice.kv_disk);
  options.warn = [](const Error& error) { Note(error.Message()); };
  return generate::LanguageModel::Load(*name, options);
}

Residency MeasureResidency() {
  Residency residency;
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    std::uint64_t* target = line.starts_with("VmRSS:")   ? &residency.now
                            : line.starts_with("VmHWM:") ? &residency.peak
                                                         : nullptr;
    if (!target) continue;
    std::uint64_t kilobytes = 0;
    std::istringstream(line.substr(6)) >> kilobytes;
    *target = kilobytes * 1024;
  }
  return residency;
}

}  // namespace ergo::cli
