// The shapes in which APIs tell errors.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/service/failure.h"

namespace ergo::serve {

struct ErrorShape {
  std::string_view name;
  OrderedJson (*body)(const Failure& failure);
  std::string_view schema;  ///< JSON schema of the body
};

/// {"error": {"message", "type", "param", "code"}}
extern const ErrorShape kOpenAiErrors;
/// {"type": "error", "error": {"type", "message"}}
extern const ErrorShape kAnthropicErrors;
/// {"error": "…"}
extern const ErrorShape kOllamaErrors;
/// {"error": {"code", "message", "status"}}
extern const ErrorShape kPlainErrors;

}  // namespace ergo::serve
