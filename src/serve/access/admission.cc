#include "serve/access/admission.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ergo::serve {
namespace {

tl::unexpected<Failure> TooMany(std::string message, std::string code, double seconds) {
  Failure failure = {FailureKind::kTooMany, std::move(message), std::move(code), {}, {}};
  failure.retry_after = std::clamp(static_cast<int>(std::ceil(seconds)), 1, 3600);
  return tl::unexpected(std::move(failure));
}

bool HasLimits(const KeyLimits& limits) {
  return limits.requests_per_minute || limits.tokens_per_minute || limits.concurrent;
}

}  // namespace

void Admission::Fill(Account& account, const KeyLimits& limits, Clock::time_point now) {
  const bool first = account.filled == Clock::time_point();
  const double minutes =
      first ? 1.0 : std::chrono::duration<double, std::ratio<60>>(now - account.filled).count();
  account.filled = now;
  const auto fill = [&](const std::optional<std::uint64_t>& limit, double* bucket) {
    if (!limit) return;
    const auto most = static_cast<double>(*limit);
    *bucket = std::min(*bucket + minutes * most, most);
  };
  fill(limits.requests_per_minute, &account.requests);
  fill(limits.tokens_per_minute, &account.tokens);
}

Served<std::unique_ptr<Admission::Ticket>> Admission::Enter(const Principal& principal,
                                                            Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (alive_ >= most_alive_) {
    return TooMany(fmt::format("{} requests are being answered or waiting already", alive_),
                   "queue_full", 2.0);
  }
  const KeyLimits& limits = principal.limits;
  std::string key;
  if (HasLimits(limits)) {
    key = principal.key_id;
    Account& account = accounts_[key];
    Fill(account, limits, now);
    if (limits.concurrent && account.alive >= *limits.concurrent) {
      return TooMany(fmt::format("this key may have {} requests at a time", *limits.concurrent),
                     "concurrency_limit_exceeded", 1.0);
    }
    if (limits.requests_per_minute && account.requests < 1.0) {
      const auto rate = static_cast<double>(*limits.requests_per_minute);
      return TooMany(
          fmt::format("this key may make {} requests a minute", *limits.requests_per_minute),
          "rate_limit_exceeded", 60.0 * (1.0 - account.requests) / rate);
    }
    if (limits.tokens_per_minute && account.tokens <= 0.0) {
      const auto rate = static_cast<double>(*limits.tokens_per_minute);
      return TooMany(fmt::format("this key may use {} tokens a minute", *limits.tokens_per_minute),
                     "token_limit_exceeded", 60.0 * (1.0 - account.tokens) / rate);
    }
    if (limits.requests_per_minute) account.requests -= 1.0;
    ++account.alive;
  }
  ++alive_;
  return std::make_unique<Ticket>(this, std::move(key));
}

std::size_t Admission::alive() const {
  const std::lock_guard lock(mutex_);
  return alive_;
}

void Admission::Leave(const std::string& key) {
  const std::lock_guard lock(mutex_);
  --alive_;
  if (const auto found = accounts_.find(key); found != accounts_.end()) --found->second.alive;
}

void Admission::Spend(const std::string& key, std::uint64_t tokens) {
  const std::lock_guard lock(mutex_);
  if (const auto found = accounts_.find(key); found != accounts_.end()) {
    found->second.tokens -= static_cast<double>(tokens);
  }
}

}  // namespace ergo::serve
