// `ergo trace`: what answers were made of.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/suggest.h"
#include "cli/terminal.h"
#include "reasoning/trace/export.h"
#include "reasoning/trace/store.h"

namespace ergo::cli {

namespace {

using reasoning::LoadedTrace;
using reasoning::StoredTrace;
using reasoning::Trace;
using reasoning::TraceNode;
using reasoning::TraceStore;
using reasoning::Verdict;

struct Settings {
  std::vector<std::string> words;
  std::string format = "html";
  std::string output;
  std::string owner;
  std::vector<std::string> redact;
  std::vector<std::string> redact_text;
  std::optional<std::int64_t> limit;
  bool json = false;
};

Result<std::unique_ptr<TraceStore>> OpenStore() {
  auto store = TraceStore::Open(reasoning::StoreOptions::FromEnvironment());
  if (store && !(*store)->notice().empty()) Note((*store)->notice());
  return store;
}

reasoning::TraceFilter FilterOf(const Settings& settings) {
  reasoning::TraceFilter filter;
  if (!settings.owner.empty()) filter.owner = settings.owner;
  if (settings.limit) filter.limit = static_cast<std::size_t>(*settings.limit);
  return filter;
}

/// One line of untrusted text: no control characters (they could rule the terminal), cut after
/// `most` characters.
std::string Line(std::string_view text, std::size_t most) {
  std::string line;
  std::size_t characters = 0;
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    const bool blank = c.code_point <= 0x20 || (c.code_point >= 0x7F && c.code_point < 0xA0);
    // Marks that turn the direction of text could make a line read as another one.
    const bool turning = (c.code_point >= 0x202A && c.code_point <= 0x202E) ||
                         (c.code_point >= 0x2066 && c.code_point <= 0x2069);
    if (!(blank && (line.empty() || line.back() == ' ')) && !turning) {
      if (++characters > most) return line + "…";
      if (blank) {
        line += ' ';
      } else {
        AppendUtf8(c.code_point, &line);
      }
    }
    text.remove_prefix(c.bytes);
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string LocalTime(std::int64_t ms) {
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  if (!::localtime_r(&seconds, &parts)) return "";
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts));
}

std::string Percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.0f}%", 100.0 * *value) : std::string("-");
}

Result<int> List(const Settings& settings) {
  if (settings.words.size() != 1) return Fail("takes no ID", "trace list");
  auto store = OpenStore();
  if (!store) return tl::unexpected(store.error());
  const auto traces = (*store)->List(FilterOf(settings));
  if (!traces) return tl::unexpected(traces.error());
  std::string text;
  if (settings.json) {
    OrderedJson rows = OrderedJson::array();
    for (const StoredTrace& trace : *traces) {
      rows.push_back({{"id", trace.id},
                      {"owner", trace.owner},
                      {"question", trace.question},
                      {"answer", trace.answer},
                      {"status", trace.status},
                      {"confidence", trace.confidence ? OrderedJson(*trace.confidence) : nullptr},
                      {"strategy", trace.strategy},
                      {"model", trace.model_name},
                      {"created_ms", trace.created_ms},
                      {"events", trace.events},
                      {"bytes", trace.bytes}});
    }
    text = rows.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
  } else if (traces->empty()) {
    Note("there are no traces yet; `ergo run \"question\"` makes one");
  } else {
    text = Styled(Style::kBold,
                  fmt::format("{:<26}  {:<16}  {:<11}  {:>4}  {}", "ID", "WHEN", "STATUS", "SURE",
                              "QUESTION"),
                  STDOUT_FILENO) +
           "\n";
    for (const StoredTrace& trace : *traces) {
      text += fmt::format("{:<26}  {:<16}  {:<11}  {:>4}  {}\n", Line(trace.id, 26),
                          LocalTime(trace.created_ms), Line(trace.status, 11),
                          Percent(trace.confidence), Line(trace.question, 60));
    }
  }
  if (Status printed = Print(text); !printed) return tl::unexpected(printed.error());
  return kOk;
}

std::string Mark(const TraceNode& node) {
  bool verified = false;
  bool unsupported = false;
  for (const auto& check : node.verification) {
    if (check.status == Verdict::kRefuted) return Styled(Style::kRed, "✗", STDOUT_FILENO);
    verified |= check.status == Verdict::kVerified;
    unsupported |= check.status == Verdict::kUnsupported;
  }
  if (verified) return Styled(Style::kGreen, "✓", STDOUT_FILENO);
  return unsupported ? "?" : Styled(Style::kDim, "·", STDOUT_FILENO);
}

std::optional<double> Shown(const reasoning::NodeConfidence& confidence) {
  for (const auto& value : {confidence.calibrated, confidence.posterior, confidence.graph,
                            confidence.vote, confidence.token}) {
    if (value) return value;
  }
  return {};
}

/// The nodes as a tree: under the goal that they serve, else under the first of what they rest on,
/// else under what they were extended from.
class Tree {
 public:
  explicit Tree(const Trace& trace) : trace_(trace) {
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < trace.nodes.size(); ++i) places.emplace(trace.nodes[i].id, i);
    std::vector<std::string_view> above(trace.nodes.size());
    for (const reasoning::TraceEdge& edge : trace.edges) {
      const bool upward = edge.type == reasoning::EdgeType::kGoal ||
                          edge.type == reasoning::EdgeType::kSupports ||
                          edge.type == reasoning::EdgeType::kContradicts ||
                          edge.type == reasoning::EdgeType::kRefines;
      const auto child = places.find(upward ? edge.from : edge.to);
      if (edge.type == reasoning::EdgeType::kSameValue || child == places.end()) continue;
      // A goal says more about where a step belongs than its premises do.
      std::string_view& place = above[child->second];
      if (place.empty() || edge.type == reasoning::EdgeType::kGoal) {
        place = upward ? edge.to : edge.from;
      }
    }
    children_.resize(trace.nodes.size());
    for (std::size_t i = 0; i < trace.nodes.size(); ++i) {
      const std::string& parent = trace.nodes[i].search.parent;
      const auto place = places.find(!above[i].empty() ? above[i] : std::string_view(parent));
      if (place == places.end() || place->second == i) {
        roots_.push_back(i);
      } else {
        children_[place->second].push_back(i);
      }
    }
  }

  std::string Text() {
    std::vector<bool> done(trace_.nodes.size(), false);
    for (const std::size_t root : roots_) Write(root, &done);
    // Nodes whose parents form a circle hang on no root.
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (!done[i]) Write(i, &done);
    }
    return std::move(text_);
  }

 private:
  struct Open {
    std::size_t node;
    std::string indent;
    bool last;
    bool root;
  };

  void Write(std::size_t root, std::vector<bool>* done) {
    std::vector<Open> stack = {{root, "", true, true}};
    while (!stack.empty()) {
      const Open open = std::move(stack.back());
      stack.pop_back();
      if ((*done)[open.node]) continue;
      (*done)[open.node] = true;
      const std::string inner = open.root ? "" : open.indent + (open.last ? "   " : "│  ");
      text_ += open.indent + (open.root ? "" : open.last ? "└─ " : "├─ ");
      const std::vector<std::size_t>& below = children_[open.node];
      WriteNode(trace_.nodes[open.node], inner + (below.empty() ? "      " : "│     "));
      // Deeper than a line is wide, the tree grows no further to the right.
      const std::string& indent = inner.size() < 200 ? inner : open.indent;
      for (std::size_t i = below.size(); i-- > 0;) {
        stack.push_back({below[i], indent, i + 1 == below.size(), false});
      }
    }
  }

  void WriteNode(const TraceNode& node, const std::string& indent) {
    const std::string face = Line(node.text.empty() ? node.formal : node.text, 160);
    text_ += fmt::format("{} {} {}", Mark(node), Line(node.id, 12),
                         face.empty() ? Line(node.value, 80) : face);
    std::string extra = node.kind == reasoning::NodeKind::kStep ? "" : std::string(Name(node.kind));
    if (const auto sure = Shown(node.confidence)) {
      extra += (extra.empty() ? "" : ", ") + Percent(sure);
    }
    if (!extra.empty()) text_ += Styled(Style::kDim, "  [" + extra + "]", STDOUT_FILENO);
    text_ += '\n';
    for (const auto& check : node.verification) {
      if (check.status == Verdict::kUnchecked) continue;
      const std::string line =
          fmt::format("{}{}", Line(check.method, 24),
                      check.detail.empty() ? "" : ": " + Line(check.detail, 160));
      text_ +=
          indent +
          Styled(Style::kDim, fmt::format("{} by {}", Name(check.status), line), STDOUT_FILENO) +
          '\n';
    }
  }

  const Trace& trace_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<std::size_t> roots_;
  std::string text_;
};

std::string Row(std::string_view label, const std::string& value) {
  if (value.empty()) return "";
  return Styled(Style::kBold, fmt::format("{:<12}", label), STDOUT_FILENO) + ' ' + value + '\n';
}

std::string Describe(const Trace& trace) {
  std::string text = Row("question", Line(trace.question, 1000));
  text += Row("answer", Line(trace.answer, 1000));
  text += Row("status", Line(trace.status, 20) +
                            (trace.confidence ? ", " + Percent(trace.confidence) + " sure" : ""));
  text += Row("uncertain", Line(trace.uncertainty, 500));
  text += Row("made by", Line(trace.model_name, 80) +
                             (trace.strategy.empty() ? "" : ", " + Line(trace.strategy, 40)));
  text += Row("when", fmt::format("{}  {}", LocalTime(trace.created_ms), Line(trace.id, 40)));
  for (const reasoning::TraceStage& stage : trace.stages) {
    text += Row(&stage == &trace.stages[0] ? "stages" : "",
                fmt::format("{:<16} {:>8.0f} ms {:>7} tokens  {}", Line(stage.name, 16), stage.ms,
                            stage.tokens, Line(stage.outcome, 100)));
  }
  if (trace.budget.tokens > 0 || trace.budget.calls > 0) {
    text += Row("spent",
                fmt::format("{} tokens in {} continuations, {:.2f} s; {} tokens not computed again",
                            trace.budget.tokens, trace.budget.calls, trace.budget.ms / 1e3,
                            trace.budget.kv_reused));
  }
  for (const reasoning::TraceConflict& conflict : trace.conflicts) {
    std::string nodes;
    for (const std::string& id : conflict.nodes) nodes += " " + Line(id, 12);
    text += Row("conflict", Line(conflict.reason, 300) + " (" + Line(nodes, 200) + ")");
  }
  return text + "\n" + Tree(trace).Text();
}

Result<LoadedTrace> Load(TraceStore& store, const Settings& settings) {
  const auto id = store.Resolve(settings.words[1], FilterOf(settings));
  if (!id) return tl::unexpected(id.error());
  auto loaded = store.Load(*id);
  if (loaded && !loaded->damage)
    Note("only a part can be read: " + loaded->damage.error().Message());
  return loaded;
}

Result<int> Show(const Settings& settings) {
  auto store = OpenStore();
  if (!store) return tl::unexpected(store.error());
  const auto loaded = Load(**store, settings);
  if (!loaded) return tl::unexpected(loaded.error());
  const std::string text =
      settings.json ? ToJson(loaded->trace).dump(2) + "\n" : Describe(loaded->trace);
  if (Status printed = Print(text); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  bool fine = file != nullptr;
  if (fine) fine = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file && std::fclose(file) != 0) fine = false;
  if (fine) return {};
  return Fail(std::string("cannot be written: ") + std::strerror(errno), path);
}

Result<int> Export(const Settings& settings) {
  auto store = OpenStore();
  if (!store) return tl::unexpected(store.error());
  const auto loaded = Load(**store, settings);
  if (!loaded) return tl::unexpected(loaded.error());
  const auto text = ExportTrace(loaded->trace, loaded->events, settings.format,
                                {.exact = settings.redact_text, .patterns = settings.redact});
  if (!text) return tl::unexpected(text.error());
  const bool to_stdout = settings.output.empty() || settings.output == "-";
  Status written = to_stdout ? Print(*text) : WriteFile(settings.output, *text);
  if (!written) return tl::unexpected(written.error());
  return kOk;
}

Result<int> Remove(const Settings& settings) {
  auto store = OpenStore();
  if (!store) return tl::unexpected(store.error());
  for (std::size_t i = 1; i < settings.words.size(); ++i) {
    const auto id = (*store)->Resolve(settings.words[i], FilterOf(settings));
    if (!id) return tl::unexpected(id.error());
    if (Status removed = (*store)->Remove(*id); !removed) return tl::unexpected(removed.error());
    Note("removed " + *id);
  }
  return kOk;
}

Result<int> Run(const Settings& settings) {
  const std::string& what = settings.words[0];
  if (what == "list") return List(settings);
  if (what != "show" && what != "export" && what != "rm") {
    const auto nearest = Nearest(what, {"export", "list", "rm", "show"});
    return Fail("trace can do list, show, export and rm", what,
                nearest ? fmt::format("did you mean {}?", *nearest) : "");
  }
  if (settings.words.size() < 2) {
    return Fail("which trace?", "trace " + what, "give an id, its beginning, or \"last\"");
  }
  if (what == "rm") return Remove(settings);
  if (settings.words.size() > 2) return Fail("takes one ID", "trace " + what);
  return what == "show" ? Show(settings) : Export(settings);
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Arguments(&settings->words, 1, 1000);
  options.Choice("--format", &settings->format, "html|json|dot|mermaid", "of an export");
  options.Text("-o,--output", &settings->output, "FILE", "write the export to a file");
  options.Texts("--redact", &settings->redact, "REGEX", "replace matches in an export's texts");
  options.Texts("--redact-text", &settings->redact_text, "TEXT", "the same for exact text");
  options.Text("--owner", &settings->owner, "NAME", "only the traces of this owner");
  options.Number("-n,--limit", &settings->limit, "N", "list at most so many", {1, 1e6});
  options.Flag("--json", &settings->json, "list and show as JSON");
  options.Note(
      "An ID may be cut short as long as one trace begins with it; \"last\" is the newest.");
  options.Note(
      "Traces are kept for ERGO_TRACE_DAYS (90) and up to ERGO_TRACE_MB (1074) megabytes.");
  return [settings] { return Run(*settings); };
}

}  // namespace

const Command kTrace = {"trace", "list|show|export|rm [options] [ID]",
                        "Show, export and remove the traces of answers", Prepare};

}  // namespace ergo::cli
