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
      &kMessages,         // /v1/messages
      &kCountTokens,      // /v1/messages/count_tokens
      &kListModels,       // /v1/models
      &kShowModel,        // /v1/models/{id}
      &kVersion,          // /version
  };
  return kEndpoints;
}

}  // namespace ergo::serve
