// What Ollama's endpoints have in common: fields of requests, lines of replies.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/endpoints/answer.h"
#include "serve/endpoints/endpoint.h"
#include "serve/service/generation.h"

namespace ergo::serve {

/// A model by its name, with or without the tag ":latest".
Served<std::shared_ptr<ServedModel>> OllamaModel(Service& service, const std::string& name);

/// `options`, `format`, `think` and `effort` of a body that satisfies its schema. Failure: a schema
/// that is not supported, values out of range.
Served<GenerationRequest> ReadOllama(const ServedModel& model, const OrderedJson& body);

/// The template's variables of `think`; null: as the template likes.
OrderedJson OllamaVariables(const OrderedJson& body);

/// "2024-05-01T12:00:00.123456Z": now.
std::string OllamaTime();

/// {"model", "created_at"}
OrderedJson OllamaHead(std::string_view model);

/// Adds done, done_reason, the counts and the times in nanoseconds.
void AddOllamaEnd(const GenerationOutcome& outcome, std::chrono::nanoseconds total,
                  OrderedJson* reply);

/// {"format", "family", "families", "parameter_size", "quantization_level", "parent_model"}
OrderedJson OllamaDetails(const ServedModel& model);

/// Puts a part of an answer into a reply.
using PutOllama = void (*)(const GenerationEvent& part, OrderedJson* reply);

/// Follows an answer as lines of JSON, or as one document where `stream` is false.
std::unique_ptr<Follower> FollowOllama(CallPtr call, std::string model, PutOllama put);

}  // namespace ergo::serve
