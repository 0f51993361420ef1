#include "serve/endpoints/all.h"

namespace ergo::serve {

std::span<const Endpoint* const> Endpoints() {
  static constexpr const Endpoint* kEndpoints[] = {
      &kApplyTemplate,    // /apply-template
      &kDetokenize,       // /detokenize
      &kHealth,           // /health
      &kMetrics,          // /metrics
      &kOpenApi,          // /openapi.json
      &kTokenize,         // /tokenize
      &kChatCompletions,  // /v1/chat/completions
      &kCompletions,      // /v1/completions
      &kListModels,       // /v1/models
      &kShowModel,        // /v1/models/{id}
      &kVersion,          // /version
  };
  return kEndpoints;
}

}  // namespace ergo::serve
