// Why a request could not be served, before any API gives it its own shape.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/result.h"

namespace ergo::serve {

enum class FailureKind {
  kInvalid,       ///< 400: the request is wrong
  kUnauthorized,  ///< 401: no key, or a wrong one
  kForbidden,     ///< 403
  kNotFound,      ///< 404
  kNoMethod,      ///< 405
  kTooLarge,      ///< 413
  kBadType,       ///< 415: content type
  kTooMany,       ///< 429: over a budget, or the queue is full
  kInternal,      ///< 500: our fault
  kUnavailable,   ///< 503: loading, draining, no memory
  kTimeout,       ///< 504: its deadline
};
/// The HTTP status.
int StatusOf(FailureKind kind);

struct Failure {
  FailureKind kind = FailureKind::kInvalid;
  std::string message;
  std::string code = {};                ///< a word for programs: "context_length_exceeded"
  std::string param = {};               ///< the request's field concerned: "messages[0].content"
  std::optional<int> retry_after = {};  ///< seconds
};

template <typename T>
using Served = tl::expected<T, Failure>;

inline tl::unexpected<Failure> Refuse(FailureKind kind, std::string message, std::string code = {},
                                      std::string param = {}) {
  return tl::unexpected(Failure{kind, std::move(message), std::move(code), std::move(param), {}});
}
/// An error of the engine that the request is to blame for.
inline tl::unexpected<Failure> Refuse(const Error& error, std::string param = {}) {
  return Refuse(FailureKind::kInvalid, error.Message(), "invalid_value", std::move(param));
}

}  // namespace ergo::serve
