// Requests of OpenAI's Responses API.
#pragma once

#include <string>

#include "base/json.h"
#include "serve/service/failure.h"
#include "serve/service/generation.h"
#include "serve/service/models.h"

namespace ergo::serve {

struct ResponsesRequest {
  GenerationRequest generation;
  OrderedJson input = OrderedJson::array();         ///< its items
  OrderedJson conversation = OrderedJson::array();  ///< messages, without the instructions
};

/// `body` satisfies the schema of /v1/responses; `before`: the messages that it goes on from.
/// Failures name the field: items that the model cannot read, outputs of calls that were not made,
/// tools that run elsewhere, a schema that is not supported.
Served<ResponsesRequest> ReadResponses(const ServedModel& model, const OrderedJson& body,
                                       const OrderedJson& before);

}  // namespace ergo::serve
