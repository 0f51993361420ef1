#include "serve/endpoints/all.h"

namespace ergo::serve {

std::span<const Endpoint* const> Endpoints() {
  static constexpr const Endpoint* kEndpoints[] = {
      &kOllamaChat,        // /api/chat
      &kOllamaEmbed,       // /api/embed
      &kOllamaEmbeddings,  // /api/embeddings
      &kOllamaGenerate,    // /api/generate
      &kOllamaLoaded,      // /api/ps
      &kOllamaShow,        // /api/show
      &kOllamaTags,        // /api/tags
      &kOllamaVersion,     // /api/version
      &kApplyTemplate,     // /apply-template
      &kDetokenize,        // /detokenize
      &kHealth,            // /health
      &kMetrics,           // /metrics
      &kOpenApi,           // /openapi.json
      &kTokenize,          // /tokenize
      &kChatCompletions,   // /v1/chat/completions
      &kCompletions,       // /v1/completions
      &kEmbeddings,        // /v1/embeddings
      &kGenerate,          // /v1/generate
      &kMessages,          // /v1/messages
      &kCountTokens,       // /v1/messages/count_tokens
      &kListModels,        // /v1/models
      &kShowModel,         // /v1/models/{id}
      &kRerank,            // /v1/rerank
      &kResponses,         // /v1/responses
      &kShowResponse,      // /v1/responses/{id}
      &kDeleteResponse,    // /v1/responses/{id}
      &kResponseItems,     // /v1/responses/{id}/input_items
      &kListSessions,      // /v1/sessions
      &kCreateSession,     // /v1/sessions
      &kShowSession,       // /v1/sessions/{id}
      &kDropSession,       // /v1/sessions/{id}
      &kDropBranch,        // /v1/sessions/{id}/branches/{branch}
      &kExtendSession,     // /v1/sessions/{id}/extend
      &kForkSession,       // /v1/sessions/{id}/fork
      &kScoreSession,      // /v1/sessions/{id}/score
      &kListTraces,        // /v1/traces
      &kShowTrace,         // /v1/traces/{id}
      &kDeleteTrace,       // /v1/traces/{id}
      &kTraceEvents,       // /v1/traces/{id}/events
      &kExportTrace,       // /v1/traces/{id}/export
      &kVersion,           // /version
  };
  return kEndpoints;
}

}  // namespace ergo::serve
