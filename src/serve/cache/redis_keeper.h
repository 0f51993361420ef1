// Answers in Redis, shared by all replicas that know the secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "serve/cache/keeper.h"

namespace ergo::serve {

/// Where a Redis is.
struct RedisAddress {
  std::string host = {};
  int port = 6379;
  std::string socket = {};  ///< path; then there is no host
  std::string user = {};
  std::string password = {};
  int database = 0;
};

/// "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]" or "unix:///PATH". The error shows no
/// password.
Result<RedisAddress> ParseRedisUrl(std::string_view url);

struct RedisOptions {
  RedisAddress address;
  std::string secret;  ///< not empty: values are sealed with it (Seal)
  std::chrono::seconds time_to_live{24 * 3600};
};

/// What stands in Redis for an answer: "ergo1", the 32 bytes HMAC-SHA256(secret, the rest and the
/// key), when it ends (8 bytes, seconds since 1970, lowest first), the answer.
std::string Seal(std::string_view secret, std::string_view key, std::string_view answer,
                 std::int64_t ends);
/// The answer; nothing if it was not sealed with this secret under this key, or has ended.
std::optional<std::string> Unseal(std::string_view secret, std::string_view key,
                                  std::string_view sealed, std::int64_t now);

/// One connection, over which nothing waits beyond its deadline but the look-up of the host's name.
std::unique_ptr<Keeper> MakeRedisKeeper(RedisOptions options);

}  // namespace ergo::serve
