// Generations whose answer may be there already.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "serve/cache/answer_cache.h"
#include "serve/service/generation.h"
#include "serve/service/worker_pool.h"

namespace ergo::serve {

/// Begins to compute, on a worker.
using StartFresh =
    std::function<Served<std::shared_ptr<Generation>>(std::function<void()> on_news)>;

struct CachedStart {
  AnswerCache& cache;
  WorkerPool& workers;
  std::string key;  ///< AnswerCache::KeyOf
  std::size_t prompt_tokens = 0;
  StartFresh fresh = {};
  /// Told once, from whichever thread, of the answer that was there; nullptr: none was.
  std::function<void(const GenerationOutcome* found)> on_looked = {};
};

/// The answer as it was given before, if one is kept; else that of `fresh`, which is kept when it
/// is complete. Looks in memory at once, and beyond this process without making anybody wait: only
/// then does `fresh` begin, on a worker, and its failure is the outcome.
Served<std::shared_ptr<Generation>> StartCached(CachedStart start, std::function<void()> on_news);

}  // namespace ergo::serve
