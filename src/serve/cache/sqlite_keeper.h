// Answers in an SQLite file, shared by the processes of one machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "serve/cache/keeper.h"

namespace ergo::serve {

struct SqliteCacheOptions {
  std::filesystem::path file;
  std::uint64_t most_bytes = std::uint64_t{1} << 30;  ///< of answers; those used first go first
  std::chrono::seconds time_to_live{24 * 3600};
};

/// A file that is damaged is removed: it holds nothing that can't be computed again. Whoever may
/// write it can make up answers, so it is made for its owner alone.
std::unique_ptr<Keeper> MakeSqliteKeeper(SqliteCacheOptions options);

}  // namespace ergo::serve
