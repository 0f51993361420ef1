#include "reasoning/trace/trace.h"

#include <utility>

#include "base/utf8.h"
#include "reasoning/trace/fold.h"
#include "reasoning/trace/patch.h"

namespace ergo::reasoning {
namespace {

/// All of a trace but the lists that have events of their own.
Trace HeadOf(const Trace& trace) {
  Trace head;
  head.schema_version = trace.schema_version;
  head.id = trace.id;
  head.owner = trace.owner;
  head.question = trace.question;
  head.answer = trace.answer;
  head.status = trace.status;
  head.confidence = trace.confidence;
  head.uncertainty = trace.uncertainty;
  head.model_name = trace.model_name;
  head.model_hash = trace.model_hash;
  head.strategy = trace.strategy;
  head.settings = trace.settings;
  head.seed = trace.seed;
  head.created_ms = trace.created_ms;
  head.budget = trace.budget;
  return head;
}

Status ApplyHead(const TraceEvent& event, Trace* trace) {
  Trace head = HeadOf(*trace);
  if (Status read = ReadHead(event.patch, &head); !read) return read;
  if (event.type == "begin" && head.id.empty()) return Fail("has no id", "event begin");
  if (event.type != "begin" && head.id != trace->id) {
    return Fail("a trace keeps its id", "event " + event.type);
  }
  head.stages = std::move(trace->stages);
  head.nodes = std::move(trace->nodes);
  head.edges = std::move(trace->edges);
  head.memory_events = std::move(trace->memory_events);
  head.conflicts = std::move(trace->conflicts);
  *trace = std::move(head);
  return {};
}

Status ApplyNode(const OrderedJson& patch, TraceNode* known, Trace* trace) {
  if (!known) {
    TraceNode node;
    if (Status read = ReadNode(patch, &node); !read) return read;
    trace->nodes.push_back(std::move(node));
    return {};
  }
  TraceNode node = *known;
  if (Status read = ReadNode(patch, &node); !read) return read;
  *known = std::move(node);
  return {};
}

template <typename Item>
Status Append(const OrderedJson& patch, Status (*read)(const OrderedJson&, Item*),
              std::vector<Item>* list) {
  Item item;
  if (Status status = read(patch, &item); !status) return status;
  list->push_back(std::move(item));
  return {};
}

/// `known` is the node that a "node" event concerns, or nullptr.
Status ApplyTo(const TraceEvent& event, TraceNode* known, Trace* trace) {
  const bool begun = !trace->id.empty();
  if (begun == (event.type == "begin")) {
    return Fail(begun ? "begins a second time" : "stands before the beginning",
                "event " + QuoteForMessage(event.type, 20));
  }
  if (event.type == "begin" || event.type == "set" || event.type == "end") {
    return ApplyHead(event, trace);
  }
  if (event.type == "node") return ApplyNode(event.patch, known, trace);
  if (event.type == "edge") return Append(event.patch, ReadEdge, &trace->edges);
  if (event.type == "stage") return Append(event.patch, ReadStage, &trace->stages);
  if (event.type == "conflict") return Append(event.patch, ReadConflict, &trace->conflicts);
  if (event.type == "memory") {
    trace->memory_events.push_back(event.patch);
    return {};
  }
  return Fail("is no kind of event", QuoteForMessage(event.type, 40));
}

/// The id that a "node" event names; nullptr if it names none.
const std::string* NodeId(const TraceEvent& event) {
  if (event.type != "node" || !event.patch.is_object()) return nullptr;
  const auto id = event.patch.find("id");
  if (id == event.patch.end() || !id->is_string()) return nullptr;
  return &id->get_ref<const std::string&>();
}

}  // namespace

std::string_view Name(NodeKind kind) {
  switch (kind) {
    case NodeKind::kQuestion:
      return "question";
    case NodeKind::kSubgoal:
      return "subgoal";
    case NodeKind::kStep:
      return "step";
    case NodeKind::kCheck:
      return "check";
    case NodeKind::kCounterfactual:
      return "counterfactual";
    case NodeKind::kFact:
      return "fact";
    case NodeKind::kLemma:
      return "lemma";
    case NodeKind::kAnswer:
      break;
  }
  return "answer";
}

std::string_view Name(EdgeType type) {
  switch (type) {
    case EdgeType::kPremise:
      return "premise";
    case EdgeType::kSupports:
      return "supports";
    case EdgeType::kContradicts:
      return "contradicts";
    case EdgeType::kSameValue:
      return "same_value";
    case EdgeType::kRefines:
      return "refines";
    case EdgeType::kGoal:
      break;
  }
  return "goal";
}

const TraceNode* Trace::Find(std::string_view node_id) const {
  // Nodes are mostly looked for while they are new.
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    if (node->id == node_id) return &*node;
  }
  return nullptr;
}

Status Apply(const TraceEvent& event, Trace* trace) {
  const std::string* id = NodeId(event);
  const TraceNode* known = id ? trace->Find(*id) : nullptr;
  return ApplyTo(
      event, known ? &trace->nodes[static_cast<std::size_t>(known - &trace->nodes[0])] : nullptr,
      trace);
}

const TraceNode* TraceFold::Find(const std::string& node_id) const {
  const auto found = index_.find(node_id);
  return found == index_.end() ? nullptr : &trace_.nodes[found->second];
}

Status TraceFold::Add(const TraceEvent& event) {
  if (event.seq != next_seq_) {
    return Fail("event " + std::to_string(event.seq) + " stands where " +
                    std::to_string(next_seq_) + " belongs",
                "log");
  }
  const std::string* id = NodeId(event);
  const auto found = id ? index_.find(*id) : index_.end();
  TraceNode* known = found == index_.end() ? nullptr : &trace_.nodes[found->second];
  const std::size_t nodes = trace_.nodes.size();
  if (Status applied = ApplyTo(event, known, &trace_); !applied) return applied;
  if (trace_.nodes.size() > nodes) index_.emplace(*id, nodes);
  ++next_seq_;
  return {};
}

Trace Fold(const std::vector<TraceEvent>& events, Status* damage) {
  TraceFold fold;
  if (damage) *damage = {};
  for (const TraceEvent& event : events) {
    Status added = fold.Add(event);
    if (added) continue;
    if (damage) *damage = std::move(added);
    break;
  }
  return std::move(fold).Take();
}

}  // namespace ergo::reasoning
