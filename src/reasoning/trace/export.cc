#include "reasoning/trace/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/utf8.h"
#include "reasoning/trace/page_files.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostLabelCharacters = 120;

/// "✓", "✗", "?" or "" by the worst of what checks found.
std::string_view Mark(const TraceNode& node) {
  bool verified = false;
  bool unsupported = false;
  for (const NodeVerification& check : node.verification) {
    if (check.status == Verdict::kRefuted) return "✗";
    verified |= check.status == Verdict::kVerified;
    unsupported |= check.status == Verdict::kUnsupported;
  }
  return verified ? "✓" : unsupported ? "?" : "";
}

std::string_view Colour(const TraceNode& node) {
  const std::string_view mark = Mark(node);
  return mark == "✓" ? "#1a7f46" : mark == "✗" ? "#c2322d" : mark == "?" ? "#9a6700" : "#5c6776";
}

/// One line of a node's text: white space joined, cut at a character.
std::string Label(const TraceNode& node) {
  std::string line = fmt::format("{}{}", Mark(node), Mark(node).empty() ? "" : " ");
  const std::string text = RepairUtf8(node.text.empty() ? node.value : node.text);
  std::size_t characters = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const Utf8Char c = DecodeUtf8(rest);
    if (++characters > kMostLabelCharacters) {
      line += "…";
      break;
    }
    if (c.code_point < 0x20 || c.code_point == 0x7F) {
      if (!line.ends_with(' ')) line += ' ';
    } else {
      line += rest.substr(0, c.bytes);
    }
    rest.remove_prefix(c.bytes);
  }
  const auto& confidence = node.confidence;
  const auto shown = confidence.calibrated ? confidence.calibrated : confidence.posterior;
  if (shown) line += fmt::format(" ({:.0f}%)", 100.0 * *shown);
  return line;
}

std::string DotQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Letters of markup and of Mermaid's own syntax become its entities ("#35;").
std::string MermaidQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (std::string_view("\"#<>&`;\\{}[]|").find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("#{};", static_cast<int>(c));
    }
  }
  return out + '"';
}

/// Names of nodes as both formats take them, by position: ids are untrusted.
std::string Place(const Trace& trace, const TraceNode& node) {
  return "n" + std::to_string(&node - trace.nodes.data());
}

std::string_view DotShape(NodeKind kind) {
  switch (kind) {
    case NodeKind::kQuestion:
    case NodeKind::kAnswer:
      return "ellipse";
    case NodeKind::kSubgoal:
      return "diamond";
    case NodeKind::kCheck:
    case NodeKind::kCounterfactual:
      return "hexagon";
    default:
      return "box";
  }
}

std::string_view DotStyle(EdgeType type) {
  switch (type) {
    case EdgeType::kPremise:
      return "";
    case EdgeType::kSupports:
      return " [color=\"#1a7f46\", label=\"supports\"]";
    case EdgeType::kContradicts:
      return " [color=\"#c2322d\", style=dashed, label=\"contradicts\"]";
    case EdgeType::kSameValue:
      return " [dir=none, style=dotted, constraint=false, label=\"same value\"]";
    case EdgeType::kRefines:
      return " [style=dashed, label=\"refines\"]";
    case EdgeType::kGoal:
      break;
  }
  return " [style=dotted, label=\"goal\"]";
}

std::string_view MermaidArrow(EdgeType type) {
  switch (type) {
    case EdgeType::kPremise:
      return "-->";
    case EdgeType::kSupports:
      return "-->|supports|";
    case EdgeType::kContradicts:
      return "--x|contradicts|";
    case EdgeType::kSameValue:
      return "---|same value|";
    case EdgeType::kRefines:
      return "-.->|refines|";
    case EdgeType::kGoal:
      break;
  }
  return "-.->|goal|";
}

/// Calls `edge` and `search` with the names of both ends, for all whose ends are there.
template <typename OnEdge, typename OnSearch>
void ForEachLink(const Trace& trace, OnEdge edge, OnSearch search) {
  std::vector<std::pair<std::string_view, const TraceNode*>> byId;
  for (const TraceNode& node : trace.nodes) byId.emplace_back(node.id, &node);
  std::sort(byId.begin(), byId.end());
  const auto find = [&](std::string_view id) -> const TraceNode* {
    const auto at = std::lower_bound(byId.begin(), byId.end(), id,
                                     [](const auto& a, std::string_view b) { return a.first < b; });
    return at != byId.end() && at->first == id ? at->second : nullptr;
  };
  for (const TraceEdge& link : trace.edges) {
    const TraceNode* from = find(link.from);
    const TraceNode* to = find(link.to);
    if (from && to) edge(Place(trace, *from), Place(trace, *to), link.type);
  }
  for (const TraceNode& node : trace.nodes) {
    const TraceNode* parent = node.search.parent.empty() ? nullptr : find(node.search.parent);
    if (parent) search(Place(trace, *parent), Place(trace, node));
  }
}

/// JSON that may stand inside a <script>: nothing in it can end the element.
std::string ScriptSafe(const OrderedJson& json) {
  const std::string text = json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size() + text.size() / 50);
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&') {
      safe += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string_view PageFile(std::string_view path) {
  for (const EmbeddedFile& file : TracePageFiles()) {
    if (file.path == path) return file.text;
  }
  return {};
}

/// The scripts in the order of their names.
std::string PageScript() {
  std::vector<const EmbeddedFile*> files;
  for (const EmbeddedFile& file : TracePageFiles()) {
    if (file.path.ends_with(".js")) files.push_back(&file);
  }
  std::sort(files.begin(), files.end(),
            [](const auto* a, const auto* b) { return a->path < b->path; });
  std::string script;
  for (const EmbeddedFile* file : files) {
    script += file->text;
    script += '\n';
  }
  return script;
}

std::string Page(const OrderedJson& data) {
  // Filled from left to right, so that no marker is looked for in what was put in.
  std::string_view rest = PageFile("trace.html");
  std::string page;
  const auto fill = [&](std::string_view marker, std::string_view text) {
    const std::size_t at = rest.find(marker);
    if (at == rest.npos) return;
    page += rest.substr(0, at);
    page += text;
    rest.remove_prefix(at + marker.size());
  };
  fill("/*[style]*/", PageFile("trace.css"));
  fill("/*[data]*/", ScriptSafe(data));
  fill("/*[script]*/", PageScript());
  page += rest;
  return page;
}

}  // namespace

std::string TraceToDot(const Trace& trace) {
  std::string dot =
      "digraph trace {\n  rankdir=TB;\n  node [fontname=\"sans-serif\", fontsize=11, "
      "style=rounded];\n  edge [fontname=\"sans-serif\", fontsize=9];\n";
  for (const TraceNode& node : trace.nodes) {
    dot += fmt::format("  {} [shape={}, color=\"{}\", label={}, tooltip={}];\n", Place(trace, node),
                       DotShape(node.kind), Colour(node), DotQuoted(Label(node)),
                       DotQuoted(RepairUtf8(node.id)));
  }
  ForEachLink(
      trace,
      [&](const std::string& from, const std::string& to, EdgeType type) {
        dot += fmt::format("  {} -> {}{};\n", from, to, DotStyle(type));
      },
      [&](const std::string& from, const std::string& to) {
        dot += fmt::format("  {} -> {} [style=dotted, color=\"#9aa6b6\", arrowhead=none];\n", from,
                           to);
      });
  return dot + "}\n";
}

std::string TraceToMermaid(const Trace& trace) {
  std::string chart = "flowchart TD\n";
  for (const TraceNode& node : trace.nodes) {
    const bool round = node.kind == NodeKind::kQuestion || node.kind == NodeKind::kAnswer;
    chart += fmt::format("  {}{}{}{}\n", Place(trace, node), round ? "([" : "[",
                         MermaidQuoted(Label(node)), round ? "])" : "]");
    if (const std::string_view mark = Mark(node); !mark.empty()) {
      chart += fmt::format("  style {} stroke:{}\n", Place(trace, node), Colour(node));
    }
  }
  ForEachLink(
      trace,
      [&](const std::string& from, const std::string& to, EdgeType type) {
        chart += fmt::format("  {} {} {}\n", from, MermaidArrow(type), to);
      },
      [&](const std::string& from, const std::string& to) {
        chart += fmt::format("  {} -.- {}\n", from, to);
      });
  return chart;
}

std::string TraceToHtml(const Trace& trace, std::span<const TraceEvent> events) {
  OrderedJson data = OrderedJson::object();
  data["status"] = trace.status;
  if (events.empty()) data["document"] = ToJson(trace);
  data["events"] = OrderedJson::array();
  for (const TraceEvent& event : events) data["events"].push_back(ToJson(event));
  return Page(data);
}

Result<std::string> ExportTrace(const Trace& trace, std::span<const TraceEvent> events,
                                std::string_view format, const Redaction& redaction) {
  OrderedJson json = ToJson(trace);
  if (Status redacted = Redact(redaction, &json); !redacted)
    return tl::unexpected(redacted.error());
  if (format == "json") return json.dump(2) + "\n";
  const auto clean = TraceFromJson(json);
  if (!clean) return tl::unexpected(clean.error());
  if (format == "dot") return TraceToDot(*clean);
  if (format == "mermaid") return TraceToMermaid(*clean);
  if (format != "html") {
    return Fail("is no format", QuoteForMessage(format, 40), "use html, json, dot or mermaid");
  }
  std::vector<TraceEvent> kept(events.begin(), events.end());
  for (TraceEvent& event : kept) {
    // As in the document, where entries of memory may have any fields.
    OrderedJson place = OrderedJson::object();
    const char* name = event.type == "memory" ? "memory_events" : "patch";
    place[name] = std::move(event.patch);
    if (Status done = Redact(redaction, &place); !done) return tl::unexpected(done.error());
    event.patch = std::move(place[name]);
  }
  return TraceToHtml(*clean, kept);
}

}  // namespace ergo::reasoning
