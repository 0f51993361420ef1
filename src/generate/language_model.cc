#include "generate/language_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "base/memory.h"
#include "generate/default_sampling.h"
#include "runtime/kv/store_key.h"

namespace ergo::generate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLeastKvBytes = std::size_t{64} << 20;

double Milliseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
}

}  // namespace

Result<std::shared_ptr<LanguageModel>> LanguageModel::Load(const std::string& path,
                                                           const LanguageModelOptions& options) {
  const auto start = Clock::now();
  auto files = formats::Open(path);
  if (!files) return Fail(std::move(files));
  auto loaded = Load(std::move(*files), options);
  if (loaded) (*loaded)->load_ms_ = Milliseconds(start);
  return loaded;
}

Result<std::shared_ptr<LanguageModel>> LanguageModel::Load(formats::ModelFiles files,
                                                           const LanguageModelOptions& options) {
  const auto start = Clock::now();
  std::shared_ptr<LanguageModel> loaded(new LanguageModel());
  loaded->files_ = std::move(files);
  if (auto done = loaded->LoadParts(options); !done) return Fail(std::move(done));
  loaded->load_ms_ = Milliseconds(start);
  return loaded;
}

Status LanguageModel::LoadParts(const LanguageModelOptions& options) {
  auto sampling = ReadDefaultSampling(files_);
  if (!sampling) return Fail(std::move(sampling));
  sampling_ = std::move(*sampling);

  // Where no thread can be had, the default policy runs this when its result is asked for.
  auto reading = std::async([this]() -> Result<tokenizer::Tokenizer> {
    auto read = tokenizer::Tokenizer::Load(files_);
    if (read && !read->chat_template().empty()) {
      template_ = tokenizer::ChatTemplate::Parse(read->chat_template(),
                                                 fmt::format("{}: chat template", files_.path));
    }
    return read;
  });
  model::LoadOptions load_options;
  load_options.pack = options.pack;
  load_options.kv = options.kv;
  load_options.threads = options.threads;
  load_options.context = options.context;
  load_options.pool = options.pool;
  auto model = model::Model::Load(files_, load_options);
  auto read = reading.get();
  if (!model) return Fail(std::move(model));
  if (!read) return Fail(std::move(read));
  model_ = std::move(*model);
  tokenizer_ = std::move(*read);
  const model::ModelConfig& config = model_->config();
  if (auto fits = CheckVocabulary(*tokenizer_, config.vocabulary, files_.path); !fits) return fits;

  engine_options_.context = options.context;
  engine_options_.threads = options.threads;
  engine_options_.pool = options.pool;
  runtime::EngineOptions shared = engine_options_;
  shared.kv_bytes =
      options.kv_bytes != 0 ? options.kv_bytes : std::max(AvailableMemory() / 2, kLeastKvBytes);
  auto draft = LoadDraft(options, &shared.kv_bytes);
  if (!draft) return Fail(std::move(draft));
  auto engine = runtime::Engine::Create(*model_, shared);
  if (!engine) return Fail(std::move(engine));
  if (!options.kv_dir.empty()) OpenStore(options, **engine);
  runtime::LoopOptions loop;
  loop.threads = options.threads;
  loop.pool = options.pool;
  loop.draft = std::move(*draft);
  scheduler_ = std::make_unique<runtime::Scheduler>(std::move(*engine), loop);

  ends_ = tokenizer_->end_of_generation();
  ends_.insert(ends_.end(), config.eos.begin(), config.eos.end());
  std::sort(ends_.begin(), ends_.end());
  ends_.erase(std::unique(ends_.begin(), ends_.end()), ends_.end());
  think_tags_ = ThinkTags::Find(*tokenizer_);
  return {};
}

/// The draft model, if one is wanted; it takes so much of `kv_bytes` that it holds as many tokens
/// as the model itself.
Result<std::shared_ptr<runtime::DraftModel>> LanguageModel::LoadDraft(
    const LanguageModelOptions& options, std::size_t* kv_bytes) {
  if (options.draft.empty()) return nullptr;
  auto files = formats::Open(options.draft);
  if (!files) return Fail(std::move(files));
  const auto words = tokenizer::Tokenizer::Load(*files);
  if (!words) return Fail(std::string(words.error().what), files->path);
  const std::size_t size = std::min(words->size(), tokenizer_->size());
  for (std::size_t id = 0; id < size; ++id) {
    const auto token = static_cast<TokenId>(id);
    if (words->Piece(token) == tokenizer_->Piece(token)) continue;
    return Fail(fmt::format("can't draft for {}: their vocabularies differ, first at token {}",
                            files_.path, id),
                files->path, "name a smaller model of the same family (--draft-model)");
  }
  model::LoadOptions load;
  load.threads = options.threads;
  load.context = options.context;
  load.pool = options.pool;
  auto model = model::Model::Load(*files, load);
  if (!model) return Fail(std::move(model));
  draft_ = std::move(*model);
  const auto bytes = [](const model::Model& of) {
    double sum = 0.0;
    for (const model::KvClass& kv_class : of.kv_classes()) {
      sum += static_cast<double>(kv_class.layout.BlockBytes());
    }
    return sum;
  };
  const double share = bytes(*draft_) / (bytes(*draft_) + bytes(*model_));
  runtime::EngineOptions engine_options = engine_options_;
  engine_options.context = 0;
  engine_options.kv_bytes = static_cast<std::size_t>(share * static_cast<double>(*kv_bytes));
  auto engine = runtime::Engine::Create(*draft_, engine_options);
  if (!engine) return Fail(std::move(engine));
  *kv_bytes -= engine_options.kv_bytes;
  return std::make_shared<runtime::DraftModel>(std::move(*engine));
}

/// Without the store everything works, only slower: what is wrong with it is no error.
void LanguageModel::OpenStore(const LanguageModelOptions& options, runtime::Engine& engine) {
  warn_ = options.warn;
  runtime::StoreOptions store_options;
  store_options.folder = options.kv_dir;
  store_options.key = runtime::MakeStoreKey(*model_, files_);
  store_options.budget = options.kv_disk;
  for (const model::KvClass& kv_class : model_->kv_classes()) {
    store_options.block_bytes.push_back(kv_class.layout.BlockBytes());
  }
  store_options.warn = options.warn;
  auto store = runtime::PrefixStore::Open(std::move(store_options));
  if (!store) {
    if (warn_) warn_(store.error());
    return;
  }
  engine.Attach(std::move(*store));
  saves_ = true;
}

LanguageModel::~LanguageModel() {
  if (!saves_ || scheduler_ == nullptr) return;
  Status saved;
  scheduler_->Between([&](runtime::EngineLoop& loop) { saved = loop.engine().SaveRemembered(); });
  if (!saved && warn_) warn_(saved.error());
}

std::string LanguageModel::digest() const { return runtime::DigestOf(files_); }

std::string LanguageModel::computing_digest() const {
  return runtime::MakeStoreKey(*model_, files_).digest;
}

Result<std::unique_ptr<runtime::Engine>> LanguageModel::NewEngine(std::size_t context) const {
  runtime::EngineOptions options = engine_options_;
  options.context = context;
  return runtime::Engine::Create(*model_, options);
}

Result<std::shared_ptr<const constrain::TokenTable>> LanguageModel::token_table() const {
  std::call_once(table_once_,
                 [this] { table_ = constrain::TokenTable::Create(*tokenizer_, ends_); });
  return *table_;
}

Result<std::string> LanguageModel::RenderChat(const ChatInput& chat) const {
  if (!template_) {
    return Fail("has no chat template", files_.path, "give it plain text instead (--raw)");
  }
  if (!*template_) return tl::unexpected(template_->error());
  if (!chat.messages.is_array()) return Fail("the messages of a chat are not an array", "request");
  OrderedJson variables = chat.variables.is_object() ? chat.variables : OrderedJson::object();
  variables["messages"] = chat.messages;
  variables["tools"] = chat.tools;
  variables["add_generation_prompt"] = chat.add_generation_prompt;
  const auto supply = [&](const char* name, std::optional<TokenId> id) {
    if (id && !variables.contains(name)) variables[name] = tokenizer_->Piece(*id);
  };
  supply("bos_token", tokenizer_->bos());
  supply("eos_token", tokenizer_->eos());
  return (*template_)->Render(variables);
}

Result<std::vector<TokenId>> LanguageModel::EncodeChat(const ChatInput& chat) const {
  auto text = RenderChat(chat);
  if (!text) return Fail(std::move(text));
  return tokenizer_->Encode(*text, {.add_special = false, .parse_special = true});
}

Status CheckVocabulary(const tokenizer::Tokenizer& tokenizer, std::size_t vocabulary,
                       const std::string& where) {
  const std::string remedy = "use the tokenizer that belongs to these weights";
  const std::size_t size = tokenizer.size();
  for (std::size_t id = vocabulary; id < size; ++id) {
    const auto token = static_cast<TokenId>(id);
    if (tokenizer.IsSpecial(token) || tokenizer.Piece(token).empty()) continue;
    return Fail(fmt::format("the tokenizer has {} tokens, but the model only {}", size, vocabulary),
                where, remedy);
  }
  if (size < vocabulary / 2) {
    return Fail(fmt::format("the tokenizer has only {} tokens, but the model {}", size, vocabulary),
                where, remedy);
  }
  return {};
}

}  // namespace ergo::generate
