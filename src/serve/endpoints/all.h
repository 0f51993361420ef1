// Every endpoint, one file each; the list that the server answers is in list.cc.
#pragma once

#include "serve/endpoints/endpoint.h"

namespace ergo::serve {

extern const Endpoint kApplyTemplate;
extern const Endpoint kChatCompletions;
extern const Endpoint kCompletions;
extern const Endpoint kCountTokens;
extern const Endpoint kCreateSession;
extern const Endpoint kDeleteResponse;
extern const Endpoint kDeleteTrace;
extern const Endpoint kDetokenize;
extern const Endpoint kDropBranch;
extern const Endpoint kDropSession;
extern const Endpoint kEmbeddings;
extern const Endpoint kExportTrace;
extern const Endpoint kExtendSession;
extern const Endpoint kForkSession;
extern const Endpoint kGenerate;
extern const Endpoint kHealth;
extern const Endpoint kListModels;
extern const Endpoint kListSessions;
extern const Endpoint kListTraces;
extern const Endpoint kMessages;
extern const Endpoint kMetrics;
extern const Endpoint kOllamaChat;
extern const Endpoint kOllamaEmbed;
extern const Endpoint kOllamaEmbeddings;
extern const Endpoint kOllamaGenerate;
extern const Endpoint kOllamaLoaded;
extern const Endpoint kOllamaShow;
extern const Endpoint kOllamaTags;
extern const Endpoint kOllamaVersion;
extern const Endpoint kOpenApi;
extern const Endpoint kRerank;
extern const Endpoint kResponseItems;
extern const Endpoint kResponses;
extern const Endpoint kScoreSession;
extern const Endpoint kShowModel;
extern const Endpoint kShowResponse;
extern const Endpoint kShowSession;
extern const Endpoint kShowTrace;
extern const Endpoint kTokenize;
extern const Endpoint kTraceEvents;
extern const Endpoint kVersion;

}  // namespace ergo::serve
