// A model that reads and writes text: weights, tokenizer, chat template and engine in one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/compute_pool.h"
#include "base/json.h"
#include "base/result.h"
#include "generate/constrain/token_table.h"
#include "generate/think/think_tags.h"
#include "runtime/engine.h"
#include "runtime/sample/sampler.h"
#include "runtime/schedule/scheduler.h"
#include "tokenizer/template/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace ergo::generate {

using tokenizer::TokenId;

struct LanguageModelOptions {
  kernels::PackAs pack = kernels::PackAs::kSource;  ///< kF32: the reference (--compute f32)
  kernels::KvType kv = kernels::KvType::kInt12;     ///< kF32 goes with the reference
  int threads = 0;                                  ///< 0: all of the pool
  std::size_t context = 0;   ///< most tokens of a sequence; 0: the model's context length
  std::size_t kv_bytes = 0;  ///< for keys and values; 0: half of the memory that is free
  /// Folder in which computed prefixes outlive the process; empty: none. Several processes may use
  /// it at a time.
  std::string kv_dir = {};
  std::size_t kv_disk = std::size_t{4} << 30;  ///< most bytes of it for this model
  /// Told what is wrong with the folder or its files, which are then not used; any thread.
  std::function<void(const Error&)> warn = {};
  /// A small model whose guesses make this one faster: what formats::Open takes; empty: none. It
  /// must have the same vocabulary. The results are the same.
  std::string draft = {};
  ComputePool* pool = nullptr;  ///< nullptr: the process's
};

/// What a chat template is rendered with.
struct ChatInput {
  OrderedJson messages = nullptr;  ///< array of {"role": …, "content": …, …}
  OrderedJson tools = nullptr;     ///< array, or null
  /// Object of further template variables (enable_thinking …), or null.
  OrderedJson variables = nullptr;
  bool add_generation_prompt = true;
};

/// May be used from any thread.
class LanguageModel {
 public:
  /// Opens what formats::Open takes (file, folder, org/name) and makes it ready to generate. The
  /// tokenizer is read on a thread of its own while the weights are packed. Errors name the file;
  /// among them: the tokenizer doesn't fit the model's vocabulary.
  static Result<std::shared_ptr<LanguageModel>> Load(const std::string& path,
                                                     const LanguageModelOptions& options = {});
  /// The same for opened files.
  static Result<std::shared_ptr<LanguageModel>> Load(formats::ModelFiles files,
                                                     const LanguageModelOptions& options = {});

  /// Saves the prefixes, if there is a folder for them.
  ~LanguageModel();
  LanguageModel(const LanguageModel&) = delete;
  LanguageModel& operator=(const LanguageModel&) = delete;

  const formats::ModelFiles& files() const { return files_; }
  const model::Model& model() const { return *model_; }
  const tokenizer::Tokenizer& tokenizer() const { return *tokenizer_; }
  runtime::Scheduler& scheduler() { return *scheduler_; }
  std::size_t context() const { return scheduler_->context(); }
  /// An engine beside the scheduler's, for callers that want the logits themselves; for one
  /// sequence of `context` tokens.
  Result<std::unique_ptr<runtime::Engine>> NewEngine(std::size_t context) const;
  /// runtime::DigestOf(files()): takes a tenth of a second for each gigabyte.
  std::string digest() const;
  /// What tells the answers that this model computes here, with this build, from those of others
  /// (runtime::MakeStoreKey); takes as long.
  std::string computing_digest() const;
  double load_ms() const { return load_ms_; }  ///< from the path to here

  bool HasChatTemplate() const { return !tokenizer_->chat_template().empty(); }
  /// The prompt's text for a chat. Errors: the model has no template, it does not parse, it refuses
  /// the messages.
  Result<std::string> RenderChat(const ChatInput& chat) const;
  /// Ids of a chat: the rendered text, whose special tokens count and to which none are added.
  Result<std::vector<TokenId>> EncodeChat(const ChatInput& chat) const;

  /// How the model marks its thoughts; nullptr if it has no tags.
  const std::shared_ptr<const ThinkTags>& think_tags() const { return think_tags_; }
  /// For constraints; made when it is first asked for, which takes some tens of milliseconds.
  Result<std::shared_ptr<const constrain::TokenTable>> token_table() const;

  /// Tokens that end an answer: the tokenizer's and those of the configurations. Sorted.
  const std::vector<TokenId>& end_of_generation() const { return ends_; }
  /// As generation_config.json or the GGUF's keys wish it; greedy where they say nothing.
  const runtime::SamplingParams& default_sampling() const { return sampling_; }

 private:
  LanguageModel() = default;
  Status LoadParts(const LanguageModelOptions& options);
  Result<std::shared_ptr<runtime::DraftModel>> LoadDraft(const LanguageModelOptions& options,
                                                         std::size_t* kv_bytes);
  void OpenStore(const LanguageModelOptions& options, runtime::Engine& engine);

  formats::ModelFiles files_;
  std::optional<tokenizer::Tokenizer> tokenizer_;
  std::unique_ptr<model::Model> model_;
  std::unique_ptr<model::Model> draft_;
  std::unique_ptr<runtime::Scheduler> scheduler_;
  runtime::EngineOptions engine_options_;
  /// An error waits here until the template is needed: plain text does without.
  std::optional<Result<tokenizer::ChatTemplate>> template_;
  std::vector<TokenId> ends_;
  std::shared_ptr<const ThinkTags> think_tags_;
  bool saves_ = false;
  std::function<void(const Error&)> warn_;
  mutable std::once_flag table_once_;
  mutable std::optional<Result<std::shared_ptr<const constrain::TokenTable>>> table_;
  runtime::SamplingParams sampling_;
  double load_ms_ = 0.0;
};

/// Whether a tokenizer fits a model with `vocabulary` rows of logits. It may lack the last ids
/// (rows are padded to round numbers) and may have special tokens of its own beyond them (for
/// images, say), which the model just can't read. Errors: ordinary tokens without a row, or not
/// even half of the rows used; `where` names the model.
Status CheckVocabulary(const tokenizer::Tokenizer& tokenizer, std::size_t vocabulary,
                       const std::string& where);

}  // namespace ergo::generate
