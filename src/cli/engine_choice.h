// Options that say which model is loaded and how it computes, shared by several commands.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/options.h"
#include "formats/model_files.h"
#include "generate/language_model.h"
#include "model/model.h"

namespace ergo::cli {

struct EngineChoice {
  std::string model;
  std::optional<std::int64_t> threads;
  std::optional<std::int64_t> context;
  std::optional<std::uint64_t> kv_memory;
  std::string kv_dir;
  std::optional<std::uint64_t> kv_disk;
  std::string draft;
  std::string compute = "fast";  ///< or "f32"
  std::string quant;             ///< "", "int8" or "int4"
  std::string kv;                ///< name of a KvType, or empty: int12, but f32 with the reference
};

/// -m and -t. The choice must outlive the parsing.
void AddEngineOptions(Options& options, EngineChoice* choice);

/// --compute, --kv and --quant.
void AddFormatOptions(Options& options, EngineChoice* choice);

/// --kv-memory, --kv-dir, --kv-disk and --draft-model, for commands that answer.
void AddMemoryOptions(Options& options, EngineChoice* choice);

/// -c, for commands that answer.
void AddContextOption(Options& options, EngineChoice* choice);

/// How `choice` asks for the weights to be held. Error: --compute f32 together with --quant.
Result<model::LoadOptions> LoadOptionsFor(const EngineChoice& choice);

/// Threads of a run: those of the option, or else all that the process may use.
int ThreadsOf(const EngineChoice& choice);

struct LoadedModel {
  formats::ModelFiles files;
  std::unique_ptr<model::Model> model;
};
/// The files and weights of `choice`.
Result<LoadedModel> LoadModel(const EngineChoice& choice);

/// The same with tokenizer and engine, for commands that answer.
Result<std::shared_ptr<generate::LanguageModel>> LoadLanguageModel(const EngineChoice& choice);

/// Resident memory of this process in bytes: now, and the most so far. 0 where unknown.
struct Residency {
  std::uint64_t now = 0;
  std::uint64_t peak = 0;
};
Residency MeasureResidency();

}  // namespace ergo::cli
