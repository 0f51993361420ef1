#include "serve/cache/redis_keeper.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

#include "serve/cache/digest.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kMark = "ergo1";
constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kTimeBytes = 8;
/// An answer larger than this has no business in our name space.
constexpr std::size_t kMostBytes = 8 << 20;

using Clock = Keeper::Clock;

bool ParseNumber(std::string_view text, int low, int high, int* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= low &&
         *value <= high;
}

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

class RedisKeeper final : public Keeper {
 public:
  explicit RedisKeeper(RedisOptions options) : options_(std::move(options)) {}

  Status Open(Clock::time_point deadline) override;
  Result<std::optional<std::string>> Find(std::string_view key,
                                          Clock::time_point deadline) override;
  Status Put(std::string_view key, std::string_view answer, Clock::time_point deadline) override;

 private:
  Result<ReplyPtr> Ask(const std::vector<std::string_view>& words, Clock::time_point deadline);
  Status Wait(short events, Clock::time_point deadline);
  Status Send(Clock::time_point deadline);
  Status OpenSession(Clock::time_point deadline);
  tl::unexpected<Error> Lose(std::string what) {
    context_.reset();
    return Fail(std::move(what), "Redis");
  }

  RedisOptions options_;
  std::unique_ptr<redisContext, FreeContext> context_;
};

Status RedisKeeper::Open(Clock::time_point deadline) {
  const RedisAddress& address = options_.address;
  // Not blocking: time-outs are ours, for the whole of a reply and not for each part.
  context_.reset(address.socket.empty() ? redisConnectNonBlock(address.host.c_str(), address.port)
                                        : redisConnectUnixNonBlock(address.socket.c_str()));
  if (context_ == nullptr) return Fail("out of memory", "Redis");
  if (context_->err != 0) return Lose(context_->errstr);
  context_->reader->maxbuf = 64 << 10;  // of idle memory
  return OpenSession(deadline);
}

Status RedisKeeper::OpenSession(Clock::time_point deadline) {
  const RedisAddress& address = options_.address;
  std::vector<std::vector<std::string_view>> commands;
  if (!address.password.empty() && !address.user.empty()) {
    commands.push_back({"AUTH", address.user, address.password});
  } else if (!address.password.empty()) {
    commands.push_back({"AUTH", address.password});
  }
  const std::string database = std::to_string(address.database);
  if (address.database != 0) commands.push_back({"SELECT", database});
  commands.push_back({"PING"});
  for (const auto& command : commands) {
    const Result<ReplyPtr> reply = Ask(command, deadline);
    if (!reply) return tl::unexpected(reply.error());
    if ((*reply)->type != REDIS_REPLY_STATUS) {
      return Lose(std::string(command[0]) + ": " +
                  std::string((*reply)->str != nullptr ? (*reply)->str : "an odd reply"));
    }
  }
  return {};
}

Result<std::optional<std::string>> RedisKeeper::Find(std::string_view key,
                                                     Clock::time_point deadline) {
  const std::string name = fmt::format("ergo:{}", key);
  const Result<ReplyPtr> reply = Ask({"GET", name}, deadline);
  if (!reply) return tl::unexpected(reply.error());
  if ((*reply)->type == REDIS_REPLY_NIL) return std::optional<std::string>();
  if ((*reply)->type != REDIS_REPLY_STRING) {
    // What another program has put there is no reason to do without the rest.
    if ((*reply)->type == REDIS_REPLY_ERROR && std::strncmp((*reply)->str, "WRONGTYPE", 9) == 0) {
      return std::optional<std::string>();
    }
    return Lose(fmt::format("GET: {}", (*reply)->str != nullptr ? (*reply)->str : "odd reply"));
  }
  return Unseal(options_.secret, key, {(*reply)->str, (*reply)->len},
                std::chrono::duration_cast<std::chrono::seconds>(
                    std::chrono::system_clock::now().time_since_epoch())
                    .count());
}

Status RedisKeeper::Put(std::string_view key, std::string_view answer, Clock::time_point deadline) {
  const std::string name = fmt::format("ergo:{}", key);
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const std::string sealed =
      Seal(options_.secret, key, answer, (now + options_.time_to_live).count());
  const std::string seconds = std::to_string(options_.time_to_live.count());
  const Result<ReplyPtr> reply = Ask({"SET", name, sealed, "EX", seconds}, deadline);
  if (!reply) return tl::unexpected(reply.error());
  if ((*reply)->type != REDIS_REPLY_STATUS) {
    return Lose(fmt::format("SET: {}", (*reply)->str != nullptr ? (*reply)->str : "odd reply"));
  }
  return {};
}

Status RedisKeeper::Wait(short events, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (left <= 0) return Lose("no reply in time");
  pollfd descriptor{context_->fd, events, 0};
  const int ready = ::poll(&descriptor, 1, static_cast<int>(std::min<long>(left, 60'000)));
  if (ready < 0 && errno != EINTR) return Lose(std::strerror(errno));
  if (ready == 0 && Clock::now() >= deadline) return Lose("no reply in time");
  return {};
}

Status RedisKeeper::Send(Clock::time_point deadline) {
  for (int done = 0; done == 0;) {
    const Status writable = Wait(POLLOUT, deadline);
    if (!writable) return writable;
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) return Lose(context_->errstr);
  }
  return {};
}

Result<ReplyPtr> RedisKeeper::Ask(const std::vector<std::string_view>& words,
                                  Clock::time_point deadline) {
  if (context_ == nullptr) return Fail("not connected", "Redis");
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(),
                             sizes.data()) != REDIS_OK) {
    return Lose(context_->errstr);
  }
  if (const Status sent = Send(deadline); !sent) return tl::unexpected(sent.error());
  for (;;) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) return Lose(context_->errstr);
    if (reply != nullptr) return ReplyPtr(static_cast<redisReply*>(reply));
    if (context_->reader->len > kMostBytes) return Lose("a reply that is too large");
    if (const Status there = Wait(POLLIN, deadline); !there) return tl::unexpected(there.error());
    if (redisBufferRead(context_.get()) != REDIS_OK) return Lose(context_->errstr);
  }
}

}  // namespace

Result<RedisAddress> ParseRedisUrl(std::string_view url) {
  const std::string remedy =
      "write redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE] or unix:///PATH";
  RedisAddress address;
  constexpr std::string_view kUnix = "unix://";
  constexpr std::string_view kTcp = "redis://";
  if (url.starts_with(kUnix) && url.substr(kUnix.size()).starts_with('/')) {
    address.socket = url.substr(kUnix.size());
    return address;
  }
  if (url.starts_with("rediss://")) {
    return Fail("TLS to Redis is not supported", "--redis", "put a TLS proxy on this machine");
  }
  if (!url.starts_with(kTcp)) return Fail("not the URL of a Redis", "--redis", remedy);
  url.remove_prefix(kTcp.size());
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = url.substr(0, at);
    const std::size_t colon = login.find(':');
    if (colon == std::string_view::npos) return Fail("a user without password", "--redis", remedy);
    address.user = login.substr(0, colon);
    address.password = login.substr(colon + 1);
    url.remove_prefix(at + 1);
  }
  if (const std::size_t slash = url.find('/'); slash != std::string_view::npos) {
    const std::string_view database = url.substr(slash + 1);
    if (!database.empty() && !ParseNumber(database, 0, 1 << 20, &address.database)) {
      return Fail("the database must be a number", "--redis", remedy);
    }
    url = url.substr(0, slash);
  }
  const std::size_t colon = url.rfind(':');
  const bool bracketed = url.starts_with('[');  // an address of IPv6
  if (colon != std::string_view::npos && (!bracketed || url[colon - 1] == ']')) {
    if (!ParseNumber(url.substr(colon + 1), 1, 65535, &address.port)) {
      return Fail("the port must be 1 to 65535", "--redis", remedy);
    }
    url = url.substr(0, colon);
  }
  if (bracketed && url.ends_with(']')) url = url.substr(1, url.size() - 2);
  if (url.empty()) return Fail("the host is missing", "--redis", remedy);
  address.host = url;
  return address;
}

std::string Seal(std::string_view secret, std::string_view key, std::string_view answer,
                 std::int64_t ends) {
  std::string rest;
  for (std::size_t i = 0; i < kTimeBytes; ++i) {
    rest += static_cast<char>(static_cast<std::uint64_t>(ends) >> (8 * i) & 0xFF);
  }
  rest += answer;
  return std::string(kMark) + HmacSha256(secret, fmt::format("{}\n{}", key, rest)) + rest;
}

std::optional<std::string> Unseal(std::string_view secret, std::string_view key,
                                  std::string_view sealed, std::int64_t now) {
  if (!sealed.starts_with(kMark) || sealed.size() < kMark.size() + kMacBytes + kTimeBytes) {
    return std::nullopt;
  }
  const std::string_view mac = sealed.substr(kMark.size(), kMacBytes);
  const std::string_view rest = sealed.substr(kMark.size() + kMacBytes);
  if (!SameBytes(mac, HmacSha256(secret, fmt::format("{}\n{}", key, rest)))) return std::nullopt;
  std::uint64_t ends = 0;
  for (std::size_t i = 0; i < kTimeBytes; ++i) {
    ends |= std::uint64_t{static_cast<unsigned char>(rest[i])} << (8 * i);
  }
  if (static_cast<std::int64_t>(ends) <= now) return std::nullopt;
  return std::string(rest.substr(kTimeBytes));
}

std::unique_ptr<Keeper> MakeRedisKeeper(RedisOptions options) {
  return std::make_unique<RedisKeeper>(std::move(options));
}

}  // namespace ergo::serve
