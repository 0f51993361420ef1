// Models: loading, what they are, their counters.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/utf8.h"
#include "capi/model_state.h"
#include "capi/versioned.h"

namespace ergo::capi {
namespace {

using generate::LanguageModel;
using generate::LanguageModelOptions;

Outcome<kernels::KvType> KvTypeNamed(std::string_view name) {
  std::string known;
  for (const kernels::KvType type : kernels::KvTypes()) {
    if (kernels::Name(type) == name) return type;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", kernels::Name(type));
  }
  return Invalid(fmt::format("there is no type {} for keys and values", QuoteForMessage(name)),
                 "kv_type", "choose one of " + known);
}

/// How the weights, keys and values are held.
Outcome<void> SetFormats(const ergo_model_options& given, LanguageModelOptions* options) {
  if (given.reference != 0) {
    if (given.quantization != nullptr) return Invalid("excludes reference", "quantization");
    options->pack = kernels::PackAs::kF32;
    options->kv = kernels::KvType::kF32;
  }
  if (given.quantization != nullptr) {
    const std::string_view name = given.quantization;
    if (name != "int8" && name != "int4") {
      return Invalid(fmt::format("{} is not a quantization", QuoteForMessage(name)), "quantization",
                     "choose int8, int4, or NULL for what the file has");
    }
    options->pack = name == "int8" ? kernels::PackAs::kInt8 : kernels::PackAs::kInt4;
  }
  if (given.kv_type != nullptr) {
    auto type = KvTypeNamed(given.kv_type);
    if (!type) return Refused(type);
    options->kv = *type;
  }
  return {};
}

/// Where prefixes are kept.
Outcome<void> SetFolder(const ergo_model_options& given, LanguageModelOptions* options) {
  if (given.kv_dir != nullptr) {
    auto folder = TextOf(given.kv_dir, ERGO_TO_NUL, "kv_dir");
    if (!folder) return Refused(folder);
    options->kv_dir = *folder;
  }
  if (given.kv_disk > std::numeric_limits<std::size_t>::max() / 2) {
    return Invalid("is more than there can be", "kv_disk");
  }
  if (given.kv_disk > 0) options->kv_disk = static_cast<std::size_t>(given.kv_disk);
  if (given.on_warning == nullptr) return {};
  options->warn = [tell = given.on_warning, user = given.on_warning_user](const Error& error) {
    tell(error.Message().c_str(), user);
  };
  return {};
}

Outcome<LanguageModelOptions> OptionsOf(const ergo_model_options* given) {
  auto read = ReadStruct(given, ergo_model_options{}, "options");
  if (!read) return Refused(read);
  LanguageModelOptions options;
  if (read->threads < 0) return Invalid("is below 0", "threads", "give 0 for all processors");
  constexpr std::uint64_t kMostContext = std::uint64_t{1} << 30;
  if (read->context > kMostContext) {
    return Invalid(fmt::format("is more than {}", kMostContext), "context");
  }
  if (read->kv_memory > std::numeric_limits<std::size_t>::max() / 2) {
    return Invalid("is more than there can be", "kv_memory");
  }
  if (read->threads > 0) options.threads = std::min(read->threads, ComputePool::Shared().size());
  options.context = static_cast<std::size_t>(read->context);
  options.kv_bytes = static_cast<std::size_t>(read->kv_memory);
  if (auto done = SetFormats(*read, &options); !done) return Refused(done);
  if (auto done = SetFolder(*read, &options); !done) return Refused(done);
  return options;
}

Outcome<ergo_model*> Load(const char* path, const ergo_model_options* given) {
  auto name = TextOf(path, ERGO_TO_NUL, "path");
  if (!name) return Refused(name);
  if (name->empty()) return Invalid("is empty", "path", "give a file, a folder or org/name");
  auto options = OptionsOf(given);
  if (!options) return Refused(options);
  auto loaded = LanguageModel::Load(std::string(*name), *options);
  if (!loaded) return tl::unexpected<Failure>(std::move(loaded).error());
  return new ergo_model{std::make_shared<ModelState>(std::move(*loaded))};
}

ergo_model_info InfoOf(const ModelState& state) {
  const LanguageModel& model = state.model();
  ergo_model_info info = {};
  info.vocabulary = state.vocabulary();
  info.context = model.context();
  info.bos = model.tokenizer().bos().value_or(-1);
  info.eos = model.tokenizer().eos().value_or(-1);
  info.has_chat_template = model.HasChatTemplate() ? 1 : 0;
  info.load_seconds = model.load_ms() / 1000.0;
  return info;
}

ergo_stats StatsOf(const runtime::LoopStats& counted) {
  ergo_stats stats = {};
  stats.waiting = counted.waiting;
  stats.running = counted.running;
  stats.idle = counted.idle;
  stats.steps = counted.steps;
  stats.computed_tokens = counted.computed_tokens;
  stats.drawn_tokens = counted.drawn_tokens;
  stats.preemptions = counted.preemptions;
  stats.forks = counted.forks;
  stats.fork_seconds = counted.fork_seconds;
  stats.blocks = counted.blocks;
  stats.free_blocks = counted.free_blocks;
  stats.prefix_hits = counted.prefixes.hit_tokens;
  stats.prefix_misses = counted.prefixes.missed_tokens;
  stats.prefix_bytes = counted.prefixes.bytes;
  return stats;
}

}  // namespace

}  // namespace ergo::capi

extern "C" {

using ergo::capi::Guarded;
using ergo::capi::GuardedPointer;

void ergo_model_options_init(ergo_model_options* options, size_t size) {
  ergo::capi::InitStruct(ergo_model_options{}, options, size);
}

ergo_model* ergo_model_load(const char* path, const ergo_model_options* options,
                            ergo_error** error) {
  return GuardedPointer<ergo_model>(error, [&] { return ergo::capi::Load(path, options); });
}

void ergo_model_free(ergo_model* model) { delete model; }

ergo_status ergo_model_get_info(const ergo_model* model, ergo_model_info* info,
                                ergo_error** error) {
  return Guarded(error, [&]() -> ergo::capi::Outcome<ergo_status> {
    if (auto given = ergo::capi::NotNull(model, "model"); !given) return Refused(given);
    if (auto given = ergo::capi::NotNull(info, "info"); !given) return Refused(given);
    return ergo::capi::WriteStruct(ergo::capi::InfoOf(*model->state), info, "info");
  });
}

ergo_status ergo_model_get_stats(const ergo_model* model, ergo_stats* stats, ergo_error** error) {
  return Guarded(error, [&]() -> ergo::capi::Outcome<ergo_status> {
    if (auto given = ergo::capi::NotNull(model, "model"); !given) return Refused(given);
    if (auto given = ergo::capi::NotNull(stats, "stats"); !given) return Refused(given);
    const ergo_stats counted = ergo::capi::StatsOf(model->state->scheduler().stats());
    return ergo::capi::WriteStruct(counted, stats, "stats");
  });
}

}  // extern "C"
