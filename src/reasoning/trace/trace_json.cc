#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"
#include "reasoning/trace/json_fields.h"
#include "reasoning/trace/patch.h"
#include "reasoning/trace/trace.h"

namespace ergo::reasoning {
namespace {

OrderedJson Utf8(const std::string& text) {
  return FindInvalidUtf8(text) ? RepairUtf8(text) : text;
}

OrderedJson Finite(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson(0.0);
}

void PutText(OrderedJson* object, const char* name, const std::string& text) {
  if (!text.empty()) (*object)[name] = Utf8(text);
}

void PutNumber(OrderedJson* object, const char* name, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) (*object)[name] = *value;
}

void PutObject(OrderedJson* object, const char* name, OrderedJson value) {
  if (!value.empty()) (*object)[name] = std::move(value);
}

OrderedJson SpanJson(const Span& span) { return OrderedJson::array({span.begin, span.end}); }

OrderedJson SearchJson(const NodeSearch& search) {
  OrderedJson json = OrderedJson::object();
  PutText(&json, "parent", search.parent);
  if (search.depth != 0) json["depth"] = search.depth;
  if (search.visits != 0) json["visits"] = search.visits;
  if (search.value != 0.0) json["value"] = Finite(search.value);
  if (search.prior != 0.0) json["prior"] = Finite(search.prior);
  return json;
}

OrderedJson ConfidenceJson(const NodeConfidence& confidence) {
  OrderedJson json = OrderedJson::object();
  PutNumber(&json, "token", confidence.token);
  PutNumber(&json, "vote", confidence.vote);
  PutNumber(&json, "graph", confidence.graph);
  PutNumber(&json, "posterior", confidence.posterior);
  PutNumber(&json, "calibrated", confidence.calibrated);
  return json;
}

OrderedJson EvidenceJson(const NodeEvidence& evidence) {
  OrderedJson json = OrderedJson::object();
  json["source"] = Utf8(evidence.source);
  json["span"] = SpanJson(evidence.span);
  json["relation"] = Utf8(evidence.relation);
  json["score"] = Finite(evidence.score);
  return json;
}

OrderedJson VerificationJson(const NodeVerification& verification) {
  OrderedJson json = OrderedJson::object();
  json["method"] = Utf8(verification.method);
  json["status"] = Name(verification.status);
  json["exact"] = verification.exact;
  PutText(&json, "semantics", verification.semantics);
  PutText(&json, "detail", verification.detail);
  json["span"] = SpanJson(verification.span);
  PutText(&json, "value", verification.value);
  return json;
}

OrderedJson TokenJson(const TraceToken& token) {
  OrderedJson json = OrderedJson::object();
  json["text"] = Utf8(token.text);
  if (FindInvalidUtf8(token.text)) {
    OrderedJson bytes = OrderedJson::array();
    for (const char byte : token.text) bytes.push_back(static_cast<unsigned char>(byte));
    json["bytes"] = std::move(bytes);
  }
  json["logprob"] = std::isnan(token.logprob)
                        ? kLeastLogprob
                        : std::clamp(token.logprob, kLeastLogprob, -kLeastLogprob);
  PutNumber(&json, "entropy", token.entropy);
  return json;
}

template <typename Item, typename ToItem>
OrderedJson ListJson(const std::vector<Item>& items, ToItem to_item) {
  OrderedJson json = OrderedJson::array();
  for (const Item& item : items) json.push_back(to_item(item));
  return json;
}

OrderedJson BudgetJson(const TraceBudget& budget) {
  OrderedJson json = OrderedJson::object();
  json["tokens"] = budget.tokens;
  json["calls"] = budget.calls;
  json["ms"] = Finite(budget.ms);
  json["kv_bytes"] = budget.kv_bytes;
  json["kv_reused"] = budget.kv_reused;
  return json;
}

/// Reads the array `name` of a document, whose items are read by `read`, into `list`.
template <typename Item, typename Read>
Status ReadAll(JsonFields& fields, const char* name, std::vector<Item>* list, Read read) {
  const OrderedJson* array = fields.Array(name);
  if (!array) return fields.status();
  list->resize(array->size());
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (Status status = read((*array)[i], &(*list)[i]); !status) {
      Error error = std::move(status).error();
      error.where = std::string(name) + "[" + std::to_string(i) + "]: " + error.where;
      return tl::unexpected(std::move(error));
    }
  }
  return {};
}

}  // namespace

OrderedJson HeadToJson(const Trace& trace) {
  OrderedJson json = OrderedJson::object();
  json["schema_version"] = trace.schema_version;
  json["id"] = Utf8(trace.id);
  json["owner"] = Utf8(trace.owner);
  json["question"] = Utf8(trace.question);
  json["answer"] = Utf8(trace.answer);
  json["status"] = Utf8(trace.status);
  json["confidence"] = trace.confidence && std::isfinite(*trace.confidence)
                           ? OrderedJson(*trace.confidence)
                           : OrderedJson(nullptr);
  json["uncertainty"] = Utf8(trace.uncertainty);
  json["model"] = {{"name", Utf8(trace.model_name)}, {"hash", Utf8(trace.model_hash)}};
  json["strategy"] = Utf8(trace.strategy);
  json["settings"] = trace.settings.is_object() ? Writable(trace.settings) : OrderedJson::object();
  json["seed"] = trace.seed;
  json["created_ms"] = trace.created_ms;
  json["budget"] = BudgetJson(trace.budget);
  return json;
}

OrderedJson ToJson(const Trace& trace) {
  OrderedJson json = HeadToJson(trace);
  const auto to_json = [](const auto& item) { return ToJson(item); };
  json["stages"] = ListJson(trace.stages, to_json);
  json["nodes"] = ListJson(trace.nodes, to_json);
  json["edges"] = ListJson(trace.edges, to_json);
  json["memory_events"] =
      trace.memory_events.is_array() ? Writable(trace.memory_events) : OrderedJson::array();
  json["conflicts"] = ListJson(trace.conflicts, to_json);
  return json;
}

OrderedJson ToJson(const TraceNode& node) {
  OrderedJson json = OrderedJson::object();
  json["id"] = Utf8(node.id);
  json["kind"] = Name(node.kind);
  json["text"] = Utf8(node.text);
  PutText(&json, "formal", node.formal);
  PutText(&json, "value", node.value);
  PutObject(&json, "search", SearchJson(node.search));
  PutObject(&json, "confidence", ConfidenceJson(node.confidence));
  PutObject(&json, "evidence", ListJson(node.evidence, EvidenceJson));
  PutObject(&json, "verification", ListJson(node.verification, VerificationJson));
  PutObject(&json, "tokens", ListJson(node.tokens, TokenJson));
  if (node.kv_shared != 0 || node.kv_new != 0) {
    json["kv"] = {{"shared", node.kv_shared}, {"new", node.kv_new}};
  }
  return json;
}

OrderedJson ToJson(const TraceEdge& edge) {
  OrderedJson json = OrderedJson::object();
  json["from"] = Utf8(edge.from);
  json["to"] = Utf8(edge.to);
  json["type"] = Name(edge.type);
  json["weight"] = Finite(edge.weight);
  return json;
}

OrderedJson ToJson(const TraceStage& stage) {
  OrderedJson json = OrderedJson::object();
  json["name"] = Utf8(stage.name);
  json["ms"] = Finite(stage.ms);
  json["tokens"] = stage.tokens;
  json["outcome"] = Utf8(stage.outcome);
  return json;
}

OrderedJson ToJson(const TraceConflict& conflict) {
  OrderedJson json = OrderedJson::object();
  json["nodes"] = ListJson(conflict.nodes, Utf8);
  json["reason"] = Utf8(conflict.reason);
  return json;
}

OrderedJson ToJson(const TraceEvent& event) {
  OrderedJson json = OrderedJson::object();
  json["seq"] = event.seq;
  json["t_ms"] = Finite(event.t_ms);
  json["type"] = Utf8(event.type);
  json["patch"] = Writable(event.patch);
  return json;
}

Result<Trace> TraceFromJson(const OrderedJson& json) {
  Trace trace;
  if (Status head = ReadHead(json, &trace); !head) return Fail(std::move(head));
  JsonFields fields(json, "trace");
  Status lists = ReadAll(fields, "stages", &trace.stages, ReadStage);
  if (lists) lists = ReadAll(fields, "nodes", &trace.nodes, ReadNode);
  if (lists) lists = ReadAll(fields, "edges", &trace.edges, ReadEdge);
  if (lists) lists = ReadAll(fields, "conflicts", &trace.conflicts, ReadConflict);
  if (!lists) return Fail(std::move(lists));
  if (const OrderedJson* memory = fields.Array("memory_events")) trace.memory_events = *memory;
  if (!fields.status()) return tl::unexpected(fields.status().error());
  std::unordered_set<std::string_view> ids;
  for (const TraceNode& node : trace.nodes) {
    if (!ids.insert(node.id).second) {
      return Fail("two nodes have the id " + QuoteForMessage(node.id, 40), "trace.nodes");
    }
  }
  return trace;
}

Result<TraceEvent> TraceEventFromJson(const OrderedJson& json) {
  TraceEvent event;
  JsonFields fields(json, "event");
  fields.Count("seq", &event.seq);
  fields.Number("t_ms", &event.t_ms);
  fields.Text("type", &event.type);
  if (event.type.empty()) fields.Refuse("type", "is missing");
  if (json.is_object() && json.contains("patch")) {
    event.patch = json.at("patch");
  } else {
    fields.Refuse("patch", "is missing");
  }
  if (!fields.status()) return tl::unexpected(fields.status().error());
  return event;
}

}  // namespace ergo::reasoning
