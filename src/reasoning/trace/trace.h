// The one record of an answer: what was asked, tried, checked and concluded.
//
// A trace is an append-only log of events; the document is their fold. Every strategy writes it
// through a Recorder, every view reads the document or follows the events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "reasoning/verify/check.h"

namespace ergo::reasoning {

/// Of the document and of the published JSON Schema (docs/trace.schema.json).
inline constexpr int kTraceSchemaVersion = 1;

enum class NodeKind { kQuestion, kSubgoal, kStep, kCheck, kCounterfactual, kFact, kLemma, kAnswer };
std::string_view Name(NodeKind kind);

/// Premise edges are the logic of the answer; what search explored is NodeSearch::parent. `from` is
/// a premise of `to`, supports or contradicts it, refines it, serves it as a goal.
enum class EdgeType { kPremise, kSupports, kContradicts, kSameValue, kRefines, kGoal };
std::string_view Name(EdgeType type);

/// Stands for the logarithm of a probability of 0, so that it can be written.
inline constexpr double kLeastLogprob = -9999.0;

/// Of one token of a node's text: bytes (in JSON, bytes that are not UTF-8 stand in "bytes" beside
/// the repaired text), natural logarithm of its probability, entropy of the
/// distribution that it was drawn from (nats; absent where it was not asked for).
struct TraceToken {
  std::string text;
  double logprob = 0.0;
  std::optional<double> entropy = {};
};

/// The tree that search explored.
struct NodeSearch {
  std::string parent = {};  ///< id of the node that it was extended from; empty: a root
  int depth = 0;
  std::uint64_t visits = 0;
  double value = 0.0;  ///< mean of the values backed up, 0 to 1
  double prior = 0.0;
};

/// Each 0 to 1, absent where nothing is known.
struct NodeConfidence {
  std::optional<double> token = {};       ///< geometric mean of the token probabilities
  std::optional<double> vote = {};        ///< share of the samples that agree
  std::optional<double> graph = {};       ///< by the evidence graph
  std::optional<double> posterior = {};   ///< of what is above and the checks
  std::optional<double> calibrated = {};  ///< what to show to a person
};

struct NodeEvidence {
  std::string source;
  Span span;
  std::string relation;
  double score = 0.0;
};

struct NodeVerification {
  std::string method;
  Verdict status = Verdict::kUnchecked;
  bool exact = false;  ///< an exact check of a fully parsed claim
  std::string semantics;
  std::string detail;
  Span span;          ///< of the node's text
  std::string value;  ///< what the claim should say
};

struct TraceNode {
  std::string id;
  NodeKind kind = NodeKind::kStep;
  std::string text;
  std::string formal;  ///< the claim or program in a formal language
  std::string value;   ///< its result, canonical
  NodeSearch search = {};
  NodeConfidence confidence = {};
  std::vector<NodeEvidence> evidence = {};
  std::vector<NodeVerification> verification = {};
  std::vector<TraceToken> tokens = {};
  std::size_t kv_shared = 0;  ///< tokens whose keys and values it shares with its origin
  std::size_t kv_new = 0;     ///< tokens computed for it
};

struct TraceEdge {
  std::string from;
  std::string to;
  EdgeType type = EdgeType::kPremise;
  double weight = 1.0;
};

struct TraceStage {
  std::string name;
  double ms = 0.0;
  std::size_t tokens = 0;
  std::string outcome;  ///< "done", "skipped", "out of budget", "cancelled", or an error's message
};

/// What was spent.
struct TraceBudget {
  std::size_t tokens = 0;  ///< drawn, discarded samples included
  std::size_t calls = 0;   ///< continuations asked for
  double ms = 0.0;
  std::size_t kv_bytes = 0;   ///< 0: not measured
  std::size_t kv_reused = 0;  ///< tokens that needed no computing
};

/// Premises that cannot all hold.
struct TraceConflict {
  std::vector<std::string> nodes;
  std::string reason;
};

struct Trace {
  int schema_version = kTraceSchemaVersion;
  std::string id;     ///< 26 characters, sorted by time (ULID)
  std::string owner;  ///< empty: the one person of this machine
  std::string question;
  std::string answer;
  std::string status = "running";  ///< then "answered", "uncertain", "cancelled" or "failed"
  std::optional<double> confidence = {};
  std::string uncertainty;  ///< what is not certain, and why; empty if nothing is
  std::string model_name;
  std::string model_hash;
  std::string strategy;
  OrderedJson settings = OrderedJson::object();
  std::uint64_t seed = 0;
  std::int64_t created_ms = 0;  ///< since 1970, UTC
  std::vector<TraceStage> stages;
  TraceBudget budget;
  std::vector<TraceNode> nodes;
  std::vector<TraceEdge> edges;
  OrderedJson memory_events = OrderedJson::array();
  std::vector<TraceConflict> conflicts;

  /// nullptr if there is none.
  const TraceNode* Find(std::string_view node_id) const;
};

/// One change. `patch` is what has become of it: of the trace's own fields ("begin": the first
/// event and only that; "set"; "end": with a status that is not "running"), of a node ("node":
/// added, or merged into the one with its id: objects are merged, null is "unknown", everything
/// else is replaced), an edge ("edge"), a stage ("stage"), a conflict ("conflict"), an entry of
/// memory_events ("memory").
struct TraceEvent {
  std::uint64_t seq = 0;  ///< 0, 1, 2 …
  double t_ms = 0.0;      ///< since the trace began
  std::string type;
  OrderedJson patch;
};

/// Error: an event that does not fit (unknown type, before "begin", a second "begin", a patch of
/// the wrong shape); the trace is then as it was. Fold checks the order of `seq`.
Status Apply(const TraceEvent& event, Trace* trace);
/// The document of a log; of a damaged one up to the first event that does not fit, with the error
/// in `damage`.
Trace Fold(const std::vector<TraceEvent>& events, Status* damage = nullptr);

/// Fields of nodes that are empty are left out. All text is made UTF-8, numbers are made finite, so
/// that the result can always be written.
OrderedJson ToJson(const Trace& trace);
OrderedJson ToJson(const TraceNode& node);
OrderedJson ToJson(const TraceEdge& edge);
OrderedJson ToJson(const TraceStage& stage);
OrderedJson ToJson(const TraceConflict& conflict);
OrderedJson ToJson(const TraceEvent& event);
/// Errors name the field: a value of the wrong type, an unknown kind, two nodes of one id, a newer
/// schema_version. Unknown fields are ignored, so that a later minor version can be read.
Result<Trace> TraceFromJson(const OrderedJson& json);
Result<TraceEvent> TraceEventFromJson(const OrderedJson& json);

}  // namespace ergo::reasoning
