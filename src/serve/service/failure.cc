#include "serve/service/failure.h"

namespace ergo::serve {

int StatusOf(FailureKind kind) {
  switch (kind) {
    case FailureKind::kInvalid:
      return 400;
    case FailureKind::kUnauthorized:
      return 401;
    case FailureKind::kForbidden:
      return 403;
    case FailureKind::kNotFound:
      return 404;
    case FailureKind::kNoMethod:
      return 405;
    case FailureKind::kTooLarge:
      return 413;
    case FailureKind::kBadType:
      return 415;
    case FailureKind::kTooMany:
      return 429;
    case FailureKind::kInternal:
      return 500;
    case FailureKind::kUnavailable:
      return 503;
    case FailureKind::kTimeout:
      return 504;
  }
  return 500;
}

}  // namespace ergo::serve
