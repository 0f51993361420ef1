// What a running server tells of itself to `ergo ps`.
#pragma once

#include "base/json.h"
#include "serve/service/service.h"

namespace ergo::serve {

/// {"models": [{"name", "state", "bytes", "kv_bytes", "running", "waiting"}], "requests",
/// "connections", "draining"}
OrderedJson StatusOf(Service& service);

}  // namespace ergo::serve
