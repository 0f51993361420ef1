#include "serve/service/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>
#include <utility>

namespace ergo::serve {
namespace {

std::uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages >> pages;
  return pages * 4096;
}

}  // namespace

struct Models::Entry {
  ModelSource source;
  State state = State::kAbsent;
  std::string error = {};
  std::shared_ptr<ServedModel> model = {};
  std::uint64_t used = 0;
};

Models::Models(std::vector<ModelSource> sources, std::size_t most_loaded)
    : most_loaded_(most_loaded) {
  for (ModelSource& source : sources) {
    entries_.push_back(std::make_unique<Entry>());
    entries_.back()->source = std::move(source);
  }
  thread_ = std::thread([this] { Run(); });
}

Models::~Models() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  news_.notify_all();
  thread_.join();
}

Models::Entry* Models::Find(std::string_view name) const {
  if (name.empty()) return entries_.empty() ? nullptr : entries_.front().get();
  for (const auto& entry : entries_) {
    const auto& aliases = entry->source.aliases;
    if (entry->source.name == name ||
        std::find(aliases.begin(), aliases.end(), name) != aliases.end()) {
      return entry.get();
    }
  }
  return nullptr;
}

Served<std::shared_ptr<ServedModel>> Models::Acquire(std::string_view name) {
  const std::lock_guard lock(mutex_);
  Entry* entry = Find(name);
  if (entry == nullptr) {
    return Refuse(
        FailureKind::kNotFound,
        fmt::format("the model '{}' does not exist; /v1/models lists those that do", name),
        "model_not_found", "model");
  }
  entry->used = ++uses_;
  if (entry->state == State::kReady) return entry->model;
  if (entry->state == State::kFailed) {
    return Refuse(FailureKind::kUnavailable,
                  fmt::format("the model could not be loaded: {}", entry->error), "model_failed",
                  "model");
  }
  if (entry->state == State::kAbsent) {
    entry->state = State::kLoading;
    wanted_.push_back(entry);
    news_.notify_all();
  }
  Failure failure = {FailureKind::kUnavailable, "the model is being loaded", "loading_model",
                     "model", 2};
  return tl::unexpected(std::move(failure));
}

void Models::Load(std::string_view name) { static_cast<void>(Acquire(name)); }

bool Models::WaitLoaded() {
  std::unique_lock lock(mutex_);
  news_.wait(lock, [this] { return wanted_.empty() && !loading_; });
  return std::none_of(entries_.begin(), entries_.end(),
                      [](const auto& entry) { return entry->state == State::kFailed; });
}

std::vector<Models::Listed> Models::List() const {
  const std::lock_guard lock(mutex_);
  std::vector<Listed> listed;
  for (const auto& entry : entries_) {
    listed.push_back({entry->source.name, entry->state, entry->error, entry->model});
  }
  return listed;
}

Models::State Models::FirstState() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty() ? State::kReady : entries_.front()->state;
}

void Models::OnLoaded(std::function<void(const Listed&)> on_loaded) {
  const std::lock_guard lock(mutex_);
  on_loaded_ = std::move(on_loaded);
}

/// Lets go of the model that nobody uses and whose last use is the longest ago.
void Models::EvictFor(const Entry& entry) {
  std::shared_ptr<ServedModel> leaving;  // ends outside of the lock
  const std::lock_guard lock(mutex_);
  if (most_loaded_ == 0) return;
  std::size_t loaded = 0;
  Entry* oldest = nullptr;
  for (const auto& other : entries_) {
    if (other.get() == &entry || other->state != State::kReady) continue;
    ++loaded;
    if (other->model.use_count() > 1) continue;
    if (oldest == nullptr || other->used < oldest->used) oldest = other.get();
  }
  if (loaded < most_loaded_ || oldest == nullptr) return;
  leaving = std::move(oldest->model);
  oldest->state = State::kAbsent;
}

void Models::LoadOne(Entry& entry) {
  EvictFor(entry);
  const std::uint64_t before = ResidentBytes();
  auto loaded = entry.source.load();
  std::shared_ptr<ServedModel> model;
  if (loaded) {
    model = std::make_shared<ServedModel>();
    model->name = entry.source.name;
    model->model = std::move(*loaded);
    model->created = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    model->tool_syntax = &ToolSyntaxOf(model->model->tokenizer().chat_template());
    const std::uint64_t now = ResidentBytes();
    model->bytes = now > before ? now - before : 0;
  }
  std::function<void(const Listed&)> on_loaded;
  Listed listed;
  {
    const std::lock_guard lock(mutex_);
    entry.state = loaded ? State::kReady : State::kFailed;
    entry.error = loaded ? std::string() : loaded.error().Message();
    entry.model = model;
    listed = {entry.source.name, entry.state, entry.error, model};
    on_loaded = on_loaded_;
  }
  if (on_loaded) on_loaded(listed);
}

void Models::Run() {
  while (true) {
    Entry* entry = nullptr;
    {
      std::unique_lock lock(mutex_);
      news_.wait(lock, [this] { return closing_ || !wanted_.empty(); });
      if (closing_) return;
      entry = wanted_.front();
      wanted_.erase(wanted_.begin());
      loading_ = true;
    }
    LoadOne(*entry);
    {
      const std::lock_guard lock(mutex_);
      loading_ = false;
    }
    news_.notify_all();
  }
}

}  // namespace ergo::serve
