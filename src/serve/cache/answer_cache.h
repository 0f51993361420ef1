// Answers to requests whose answer is the same every time: in memory, and beyond this process if
// there is a place for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "generate/language_model.h"
#include "serve/cache/far_tier.h"
#include "serve/cache/memory_tier.h"
#include "serve/service/generation.h"

namespace ergo::serve {

struct CacheOptions {
  std::size_t memory_bytes = std::size_t{64} << 20;  ///< 0: no cache at all
  std::filesystem::path file = {};                   ///< of SQLite; empty: none
  std::uint64_t file_bytes = std::uint64_t{1} << 30;
  std::string redis = {};         ///< URL (ParseRedisUrl); empty: none. Instead of a file.
  std::string redis_secret = {};  ///< 16 bytes or more
  std::chrono::seconds time_to_live{24 * 3600};  ///< beyond this process
  FarOptions far = {};
};

/// Any thread.
class AnswerCache {
 public:
  /// nullptr if `options` want none. Errors: a bad URL, no secret, both Redis and a file. That
  /// Redis or the file can't be reached is none: the cache then does without.
  static Result<std::unique_ptr<AnswerCache>> Create(const CacheOptions& options);

  /// Reads a model's files, to tell it from others: a tenth of a second for each gigabyte.
  void Learn(const std::shared_ptr<generate::LanguageModel>& model);
  /// The key of a request, if its answer is the same every time and the model is known (Learn).
  std::optional<std::string> KeyOf(const std::string& owner,
                                   const std::shared_ptr<generate::LanguageModel>& model,
                                   std::span<const generate::TokenId> prompt,
                                   const GenerationRequest& request) const;

  /// What is in memory. `cached` of it is true.
  std::optional<GenerationOutcome> Find(const std::string& key);
  /// Whether it is worth looking further.
  bool has_far() const { return far_ != nullptr && far_->working(); }
  /// As FarTier::Find; what is found is in memory then, too.
  void FindFar(const std::string& key,
               std::function<void(std::optional<GenerationOutcome>)> on_found);
  /// Keeps it if it may stand for later ones. Answers that were reasoned go beyond this process
  /// only if they were verified.
  void Put(const std::string& key, const GenerationOutcome& outcome);

  /// From now on only memory is used. Before what FindFar's callbacks need is gone.
  void CloseFar() {
    if (far_ != nullptr) far_->Close();
  }
  const MemoryTier& memory() const { return memory_; }
  FarTier* far() { return far_.get(); }

 private:
  AnswerCache(std::size_t memory_bytes, std::unique_ptr<FarTier> far)
      : memory_(memory_bytes), far_(std::move(far)) {}

  MemoryTier memory_;
  mutable std::mutex mutex_;
  std::map<std::weak_ptr<generate::LanguageModel>, std::string,
           std::owner_less<std::weak_ptr<generate::LanguageModel>>>
      models_;
  std::unique_ptr<FarTier> far_;  ///< last: its thread uses the rest
};

}  // namespace ergo::serve
