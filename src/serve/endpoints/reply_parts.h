// Pieces of replies that several APIs have in common.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/service/generation.h"

namespace ergo::serve {

/// As one line; what is not UTF-8 is replaced.
std::string JsonText(const OrderedJson& json);
/// "event: NAME\ndata: JSON\n\n"; without a name the data alone.
std::string ServerEvent(std::string_view name, const OrderedJson& data);
/// JSON and a line end.
std::string JsonLine(const OrderedJson& json);
/// `prefix` and 26 characters of which 80 bits are random.
std::string NewReplyId(std::string_view prefix);

/// What every reply has beside its API's own fields: "timings" and, of answers that were reasoned,
/// "trace_id" and "verdict".
void AddExtras(const GenerationOutcome& outcome, OrderedJson* reply);

}  // namespace ergo::serve
