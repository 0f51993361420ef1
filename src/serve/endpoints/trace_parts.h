// What the endpoints of traces have in common.
#pragma once

#include <string>

#include "reasoning/trace/store.h"
#include "serve/endpoints/endpoint.h"

namespace ergo::serve {

/// The store. Failure: this server keeps no traces.
Served<reasoning::TraceStore*> TracesOf(const CallPtr& call);

/// The trace of the path's {id}: a whole id, its unique beginning, or "last". Failure: there is
/// none of that id, which is what owners of others' traces hear too.
Served<reasoning::LoadedTrace> LoadTraceOf(const CallPtr& call);

/// Of the query; empty if it is not there.
std::string QueryText(const CallPtr& call, std::string_view name);
/// Of the query. Failure: no whole number from `least` to `most`.
Served<std::size_t> QueryNumber(const CallPtr& call, std::string_view name, std::size_t fallback,
                                std::pair<std::size_t, std::size_t> range);

}  // namespace ergo::serve
