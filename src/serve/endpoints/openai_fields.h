// What OpenAI's two ways to generate have in common: fields of requests, parts of replies.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/endpoints/endpoint.h"
#include "serve/service/generation.h"
#include "serve/service/sampling_fields.h"

namespace ergo::serve {

/// temperature … max_completion_tokens of a body that satisfies its schema.
SamplingFields ReadSampling(const OrderedJson& body);
/// The constraint of `response_format`, or of vLLM's guided_json, guided_regex, guided_choice and
/// guided_grammar. Failure: one that is not supported, or cannot be compiled.
Served<std::shared_ptr<const generate::constrain::Constraint>> ReadFormat(
    const generate::LanguageModel& model, const OrderedJson& body);
/// `tools`, `tool_choice`, `parallel_tool_calls`. Failure: a choice that names no tool.
Served<std::optional<ToolUse>> ReadTools(const OrderedJson& body);
/// As chat templates take them: parts of text joined, arguments of calls as objects. Failure: parts
/// that are no text.
Served<OrderedJson> ReadMessages(const OrderedJson& messages);

OrderedJson UsageJson(const GenerationOutcome& outcome);
OrderedJson TimingsJson(const generate::Timings& timings);
/// {"content": [{token, logprob, bytes, top_logprobs}, …]}
OrderedJson ChatLogprobsJson(const generate::LanguageModel& model,
                             const std::vector<generate::TokenScore>& scores);
OrderedJson ToolCallJson(const ToolCall& call);
/// "chatcmpl-…": `prefix` and the request's id.
std::string ReplyId(std::string_view prefix, const Call& call);
std::int64_t UnixSeconds();

/// A member of an object, or `fallback` where it is absent or null.
template <typename T>
T Field(const OrderedJson& body, const char* name, T fallback) {
  const auto found = body.find(name);
  return found == body.end() || found->is_null() ? fallback : found->get<T>();
}

}  // namespace ergo::serve
