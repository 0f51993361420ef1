// Reads JSON, whole or partial, into the parts of a trace. Fields that are missing stay as they
// are.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "reasoning/trace/trace.h"

namespace ergo::reasoning {

/// The trace's own fields: all but the lists that other events make.
Status ReadHead(const OrderedJson& patch, Trace* trace);
/// Objects are merged, arrays and plain values replaced.
Status ReadNode(const OrderedJson& patch, TraceNode* node);
Status ReadEdge(const OrderedJson& json, TraceEdge* edge);
Status ReadStage(const OrderedJson& json, TraceStage* stage);
Status ReadConflict(const OrderedJson& json, TraceConflict* conflict);
/// The trace's own fields, in the document's order; `settings` and `budget` included.
OrderedJson HeadToJson(const Trace& trace);

}  // namespace ergo::reasoning
