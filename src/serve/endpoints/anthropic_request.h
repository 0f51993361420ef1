// Requests of Anthropic's Messages API.
#pragma once

#include "base/json.h"
#include "serve/service/failure.h"
#include "serve/service/generation.h"
#include "serve/service/models.h"

namespace ergo::serve {

/// Of a body that satisfies the schema of /v1/messages or of its count_tokens. Failures name the
/// field: blocks that the model cannot read (images), results of calls that were not made, tools
/// that run elsewhere, a schema that is not supported.
Served<GenerationRequest> ReadMessages(const ServedModel& model, const OrderedJson& body);

}  // namespace ergo::serve
