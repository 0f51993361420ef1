#include "serve/cache/answer_cache.h"

#include <utility>

#include "serve/cache/answer_key.h"
#include "serve/cache/answer_text.h"
#include "serve/cache/redis_keeper.h"
#include "serve/cache/sqlite_keeper.h"

namespace ergo::serve {
namespace {

/// Shorter ones are guessed.
constexpr std::size_t kLeastSecret = 16;

std::optional<GenerationOutcome> Read(const std::shared_ptr<const std::string>& text) {
  if (text == nullptr) return std::nullopt;
  Result<GenerationOutcome> outcome = ReadAnswer(*text);
  if (!outcome) return std::nullopt;
  outcome->cached = true;
  outcome->usage.cached_tokens = outcome->usage.prompt_tokens;
  return *std::move(outcome);
}

Result<std::unique_ptr<Keeper>> MakeKeeper(const CacheOptions& options) {
  if (options.redis.empty() && options.file.empty()) return nullptr;
  if (options.redis.empty()) {
    return MakeSqliteKeeper({options.file, options.file_bytes, options.time_to_live});
  }
  if (!options.file.empty()) {
    return Fail("answers are kept in Redis or in a file, not in both", "--redis",
                "leave out --cache-file");
  }
  Result<RedisAddress> address = ParseRedisUrl(options.redis);
  if (!address) return tl::unexpected(address.error());
  if (options.redis_secret.size() < kLeastSecret) {
    return Fail("needs a secret of 16 bytes or more, with which answers are sealed", "--redis",
                "--redis-secret-file FILE or ERGO_REDIS_SECRET, the same on all replicas");
  }
  return MakeRedisKeeper({*std::move(address), options.redis_secret, options.time_to_live});
}

}  // namespace

Result<std::unique_ptr<AnswerCache>> AnswerCache::Create(const CacheOptions& options) {
  Result<std::unique_ptr<Keeper>> keeper = MakeKeeper(options);
  if (!keeper) return tl::unexpected(keeper.error());
  if (options.memory_bytes == 0) return nullptr;
  std::unique_ptr<FarTier> far;
  if (*keeper) far = std::make_unique<FarTier>(*std::move(keeper), options.far);
  return std::unique_ptr<AnswerCache>(new AnswerCache(options.memory_bytes, std::move(far)));
}

void AnswerCache::Learn(const std::shared_ptr<generate::LanguageModel>& model) {
  const std::string digest = model->computing_digest();
  const std::lock_guard lock(mutex_);
  std::erase_if(models_, [](const auto& entry) { return entry.first.expired(); });
  models_[model] = digest;
}

std::optional<std::string> AnswerCache::KeyOf(const std::string& owner,
                                              const std::shared_ptr<generate::LanguageModel>& model,
                                              std::span<const generate::TokenId> prompt,
                                              const GenerationRequest& request) const {
  std::string digest;
  {
    const std::lock_guard lock(mutex_);
    const auto known = models_.find(model);
    if (known == models_.end()) return std::nullopt;
    digest = known->second;
  }
  return AnswerKey({owner, digest, model->context(), prompt, request});
}

std::optional<GenerationOutcome> AnswerCache::Find(const std::string& key) {
  return Read(memory_.Find(key));
}

void AnswerCache::FindFar(const std::string& key,
                          std::function<void(std::optional<GenerationOutcome>)> on_found) {
  if (far_ == nullptr) return on_found(std::nullopt);
  far_->Find(key, [this, key,
                   on_found = std::move(on_found)](const std::shared_ptr<const std::string>& text) {
    std::optional<GenerationOutcome> outcome = Read(text);
    if (outcome) memory_.Put(key, text);
    on_found(std::move(outcome));
  });
}

void AnswerCache::Put(const std::string& key, const GenerationOutcome& outcome) {
  if (outcome.cached || !IsComplete(outcome)) return;
  const auto text = std::make_shared<const std::string>(WriteAnswer(outcome));
  memory_.Put(key, text);
  const bool reasoned = outcome.verdict.is_object();
  if (far_ == nullptr || (reasoned && !outcome.verdict.value("verified", false))) return;
  far_->Put(key, text);
}

}  // namespace ergo::serve
