// The models that a server answers with.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "generate/language_model.h"
#include "serve/service/failure.h"
#include "serve/tool_calls/tool_call.h"

namespace ergo::serve {

/// A model that is loaded. Whoever holds it keeps it loaded.
struct ServedModel {
  std::string name;  ///< as requests name it
  std::shared_ptr<generate::LanguageModel> model;
  std::int64_t created = 0;  ///< seconds since 1970: when it was loaded
  const ToolSyntax* tool_syntax = nullptr;
  std::uint64_t bytes = 0;  ///< of memory that loading took

  generate::LanguageModel& operator*() const { return *model; }
  generate::LanguageModel* operator->() const { return model.get(); }
};

/// How to get one model.
struct ModelSource {
  std::string name;
  std::vector<std::string> aliases = {};
  std::function<Result<std::shared_ptr<generate::LanguageModel>>()> load;
};

/// Any thread. Models are loaded one at a time on a thread of the registry's own.
class Models {
 public:
  enum class State { kAbsent, kLoading, kReady, kFailed };
  struct Listed {
    std::string name;
    State state = State::kAbsent;
    std::string error = {};
    std::shared_ptr<ServedModel> model = {};  ///< if ready
  };

  /// `most_loaded`: models in memory at a time; beyond it the one that was used longest ago and
  /// nobody uses leaves. 0: no limit.
  Models(std::vector<ModelSource> sources, std::size_t most_loaded);
  ~Models();
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  /// A model that is ready; an empty name means the first. Failures: 404 for a name that is not
  /// there; 503 while it is loading, which this begins if need be; 503 with the reason if it could
  /// not be loaded.
  Served<std::shared_ptr<ServedModel>> Acquire(std::string_view name);

  /// Begins to load; Acquire does so too.
  void Load(std::string_view name);
  /// Waits until nothing is loading. False if any has failed.
  bool WaitLoaded();
  std::vector<Listed> List() const;
  /// Whether the first model can answer.
  State FirstState() const;

  /// Told of each model that was loaded, or of why not; on the registry's thread.
  void OnLoaded(std::function<void(const Listed&)> on_loaded);

 private:
  struct Entry;
  Entry* Find(std::string_view name) const;
  void Run();
  void LoadOne(Entry& entry);
  void EvictFor(const Entry& entry);

  const std::size_t most_loaded_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<Entry*> wanted_;
  bool loading_ = false;
  bool closing_ = false;
  std::uint64_t uses_ = 0;
  std::function<void(const Listed&)> on_loaded_;
  std::thread thread_;
};

}  // namespace ergo::serve
