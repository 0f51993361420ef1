// A trace in the formats of other programs, and as a page to look at.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/trace/redact.h"
#include "reasoning/trace/trace.h"

namespace ergo::reasoning {

/// Graphviz: premise and other edges of the logic, drawn; the search as dotted lines.
std::string TraceToDot(const Trace& trace);
/// A Mermaid flowchart of the same.
std::string TraceToMermaid(const Trace& trace);
/// One HTML file that needs no network: graph, search tree, checks, tokens, and the replay of
/// `events` (without them it shows the document alone). Model text cannot become markup or script.
std::string TraceToHtml(const Trace& trace, std::span<const TraceEvent> events);

/// "html", "json", "dot" or "mermaid", redacted first. Errors: another format; see Redact.
Result<std::string> ExportTrace(const Trace& trace, std::span<const TraceEvent> events,
                                std::string_view format, const Redaction& redaction = {});

}  // namespace ergo::reasoning
