// The line between C and the engine: no exception, no unchecked pointer and no text that is not
// UTF-8 gets over it.
#pragma once

#include <ergo/ergo.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ergo::capi {

/// An Error and what kind of status it is for a C program; plain ones are ERGO_FAILED.
struct Failure {
  Failure(ergo_status kind, Error why) : status(kind), error(std::move(why)) {}
  Failure(Error why) : error(std::move(why)) {}  // NOLINT(google-explicit-constructor)

  ergo_status status = ERGO_FAILED;
  Error error;
};

/// A value, or why there is none.
template <typename T>
using Outcome = tl::expected<T, Failure>;

/// The call itself is wrong; `argument` names what of it.
tl::unexpected<Failure> Invalid(std::string what, std::string argument, std::string remedy = {});

/// Passes on the failure of another Outcome.
template <typename T>
tl::unexpected<Failure> Refused(Outcome<T>& failed) {
  return tl::unexpected<Failure>(std::move(failed).error());
}

/// Stores a new error in `*out`, if `out` is not NULL, and gives its status.
ergo_status Store(ergo_error** out, Failure failure) noexcept;

/// What is being thrown, as a failure. Only in a catch block.
ergo_status StoreException(ergo_error** out) noexcept;

/// Runs `body`, which returns an Outcome<ergo_status>; its failures and exceptions go to `*out`.
template <typename Body>
ergo_status Guarded(ergo_error** out, Body&& body) noexcept {
  if (out != nullptr) *out = nullptr;
  try {
    Outcome<ergo_status> done = body();
    return done ? *done : Store(out, std::move(done).error());
  } catch (...) {
    return StoreException(out);
  }
}

/// The same for functions that return a pointer: `body` returns an Outcome<T*>.
template <typename T, typename Body>
T* GuardedPointer(ergo_error** out, Body&& body) noexcept {
  if (out != nullptr) *out = nullptr;
  try {
    Outcome<T*> made = body();
    if (made) return *made;
    Store(out, std::move(made).error());
  } catch (...) {
    StoreException(out);
  }
  return nullptr;
}

/// Fails if a pointer argument is NULL.
Outcome<void> NotNull(const void* pointer, const char* argument);

/// A text argument. Failures: NULL, not UTF-8.
Outcome<std::string_view> TextOf(const char* text, std::size_t length, const char* argument);

/// `count` values that a caller points at. Failures: NULL with a count that is not 0, more than
/// `most` of them.
template <typename T>
Outcome<std::span<const T>> ArrayOf(const T* values, std::size_t count, std::size_t most,
                                    const char* argument) {
  if (count == 0) return std::span<const T>{};
  if (values == nullptr) return Invalid("is NULL, but its count is not 0", argument);
  if (count > most) {
    return Invalid(
        "has " + std::to_string(count) + " entries; at most " + std::to_string(most) + " can be",
        argument);
  }
  return std::span<const T>(values, count);
}

/// Copies for the caller, to be freed by ergo_string_free and ergo_tokens_free.
char* CopyString(std::string_view text);
std::int32_t* CopyTokens(std::span<const std::int32_t> tokens);

}  // namespace ergo::capi
