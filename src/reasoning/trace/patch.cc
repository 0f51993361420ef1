#include "reasoning/trace/patch.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "reasoning/trace/json_fields.h"

namespace ergo::reasoning {
namespace {

constexpr std::array kKinds = {NodeKind::kQuestion, NodeKind::kSubgoal,        NodeKind::kStep,
                               NodeKind::kCheck,    NodeKind::kCounterfactual, NodeKind::kFact,
                               NodeKind::kLemma,    NodeKind::kAnswer};
constexpr std::array kEdges = {EdgeType::kPremise,   EdgeType::kSupports, EdgeType::kContradicts,
                               EdgeType::kSameValue, EdgeType::kRefines,  EdgeType::kGoal};
constexpr std::array kVerdicts = {Verdict::kVerified, Verdict::kRefuted, Verdict::kUnsupported,
                                  Verdict::kUnchecked};

/// A field that holds the name of one of `all`.
template <typename All, typename Value>
void ReadName(JsonFields& fields, const char* field, const All& all, Value* value) {
  std::string name(Name(*value));
  fields.Text(field, &name);
  const auto found = std::find_if(all.begin(), all.end(), [&](Value v) { return Name(v) == name; });
  if (found != all.end()) {
    *value = *found;
  } else {
    fields.Refuse(field, "is unknown: " + QuoteForMessage(name, 40));
  }
}

void ReadInteger(JsonFields& fields, const char* name, int* value) {
  std::int64_t wide = *value;
  fields.Integer(name, &wide);
  if (wide < -1'000'000'000 || wide > 1'000'000'000) {
    fields.Refuse(name, "is out of range");
  } else {
    *value = static_cast<int>(wide);
  }
}

/// [begin, end] or null.
void ReadSpan(const OrderedJson& object, JsonFields& fields, Span* span) {
  const OrderedJson* json = fields.Array("span");
  if (!json) {
    if (object.is_object() && object.contains("span")) *span = {};
    return;
  }
  const bool fits = json->size() == 2 && json->at(0).is_number_integer() &&
                    json->at(1).is_number_integer() && json->at(0).get<std::int64_t>() >= 0 &&
                    json->at(1).get<std::int64_t>() >= 0;
  if (!fits) {
    fields.Refuse("span", "is not [begin, end]");
    return;
  }
  *span = {json->at(0).get<std::size_t>(), json->at(1).get<std::size_t>()};
}

/// Reads an array of objects into `list`, if it is there; null empties it.
template <typename Item, typename Read>
Status ReadList(JsonFields& fields, const char* name, std::vector<Item>* list, Read read) {
  const OrderedJson* array = fields.Array(name);
  if (!array) {
    if (fields.IsNull(name)) list->clear();
    return fields.status();
  }
  std::vector<Item> items(array->size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string where = fields.where() + "." + name + "[" + std::to_string(i) + "]";
    if (Status status = read((*array)[i], where, &items[i]); !status) return status;
  }
  *list = std::move(items);
  return {};
}

Status ReadEvidence(const OrderedJson& json, const std::string& where, NodeEvidence* evidence) {
  JsonFields fields(json, where);
  fields.Text("source", &evidence->source);
  ReadSpan(json, fields, &evidence->span);
  fields.Text("relation", &evidence->relation);
  fields.Number("score", &evidence->score);
  return fields.status();
}

Status ReadVerification(const OrderedJson& json, const std::string& where,
                        NodeVerification* verification) {
  JsonFields fields(json, where);
  fields.Text("method", &verification->method);
  ReadName(fields, "status", kVerdicts, &verification->status);
  fields.Flag("exact", &verification->exact);
  fields.Text("semantics", &verification->semantics);
  fields.Text("detail", &verification->detail);
  ReadSpan(json, fields, &verification->span);
  fields.Text("value", &verification->value);
  return fields.status();
}

Status ReadToken(const OrderedJson& json, const std::string& where, TraceToken* token) {
  JsonFields fields(json, where);
  fields.Text("text", &token->text);
  if (const OrderedJson* bytes = fields.Array("bytes")) {
    token->text.clear();
    for (const OrderedJson& byte : *bytes) {
      const bool fits = byte.is_number_integer() && byte.get<std::int64_t>() >= 0 &&
                        byte.get<std::int64_t>() <= 255;
      if (!fits) {
        fields.Refuse("bytes", "holds what is not a byte");
        break;
      }
      token->text += static_cast<char>(byte.get<std::int64_t>());
    }
  }
  // Null is minus infinity that could not be written.
  if (fields.IsNull("logprob")) {
    token->logprob = kLeastLogprob;
  } else {
    fields.Number("logprob", &token->logprob);
  }
  fields.Number("entropy", &token->entropy);
  return fields.status();
}

Status ReadSearch(JsonFields& fields, TraceNode* node) {
  if (fields.IsNull("search")) node->search = {};
  const OrderedJson* json = fields.Object("search");
  if (!json) return {};
  JsonFields search(*json, fields.where() + ".search");
  search.Text("parent", &node->search.parent);
  ReadInteger(search, "depth", &node->search.depth);
  search.Count("visits", &node->search.visits);
  search.Number("value", &node->search.value);
  search.Number("prior", &node->search.prior);
  return search.status();
}

Status ReadConfidence(JsonFields& fields, TraceNode* node) {
  if (fields.IsNull("confidence")) node->confidence = {};
  const OrderedJson* json = fields.Object("confidence");
  if (!json) return {};
  JsonFields confidence(*json, fields.where() + ".confidence");
  confidence.Number("token", &node->confidence.token);
  confidence.Number("vote", &node->confidence.vote);
  confidence.Number("graph", &node->confidence.graph);
  confidence.Number("posterior", &node->confidence.posterior);
  confidence.Number("calibrated", &node->confidence.calibrated);
  return confidence.status();
}

Status ReadKv(JsonFields& fields, TraceNode* node) {
  if (fields.IsNull("kv")) node->kv_shared = node->kv_new = 0;
  const OrderedJson* json = fields.Object("kv");
  if (!json) return {};
  JsonFields kv(*json, fields.where() + ".kv");
  kv.Count("shared", &node->kv_shared);
  kv.Count("new", &node->kv_new);
  return kv.status();
}

Status ReadBudget(JsonFields& fields, Trace* trace) {
  if (fields.IsNull("budget")) trace->budget = {};
  const OrderedJson* json = fields.Object("budget");
  if (!json) return {};
  JsonFields budget(*json, "trace.budget");
  budget.Count("tokens", &trace->budget.tokens);
  budget.Count("calls", &trace->budget.calls);
  budget.Number("ms", &trace->budget.ms);
  budget.Count("kv_bytes", &trace->budget.kv_bytes);
  budget.Count("kv_reused", &trace->budget.kv_reused);
  return budget.status();
}

Status ReadModel(JsonFields& fields, Trace* trace) {
  if (fields.IsNull("model")) trace->model_name = trace->model_hash = "";
  const OrderedJson* json = fields.Object("model");
  if (!json) return {};
  JsonFields model(*json, "trace.model");
  model.Text("name", &trace->model_name);
  model.Text("hash", &trace->model_hash);
  return model.status();
}

}  // namespace

Status ReadHead(const OrderedJson& patch, Trace* trace) {
  JsonFields fields(patch, "trace");
  ReadInteger(fields, "schema_version", &trace->schema_version);
  fields.Text("id", &trace->id);
  fields.Text("owner", &trace->owner);
  fields.Text("question", &trace->question);
  fields.Text("answer", &trace->answer);
  fields.Text("status", &trace->status);
  fields.Number("confidence", &trace->confidence);
  fields.Text("uncertainty", &trace->uncertainty);
  fields.Text("strategy", &trace->strategy);
  fields.Count("seed", &trace->seed);
  fields.Integer("created_ms", &trace->created_ms);
  if (fields.IsNull("settings")) trace->settings = OrderedJson::object();
  if (const OrderedJson* settings = fields.Object("settings")) trace->settings = *settings;
  if (Status model = ReadModel(fields, trace); !model) return model;
  if (Status budget = ReadBudget(fields, trace); !budget) return budget;
  if (fields.status() && trace->schema_version > kTraceSchemaVersion) {
    return Fail("is " + std::to_string(trace->schema_version) + ", this program knows up to " +
                    std::to_string(kTraceSchemaVersion),
                "trace.schema_version", "use a newer version of the program");
  }
  return fields.status();
}

Status ReadNode(const OrderedJson& patch, TraceNode* node) {
  JsonFields fields(patch, node->id.empty() ? "node" : "node " + QuoteForMessage(node->id, 40));
  fields.Text("id", &node->id);
  if (node->id.empty()) fields.Refuse("id", "is missing");
  ReadName(fields, "kind", kKinds, &node->kind);
  fields.Text("text", &node->text);
  fields.Text("formal", &node->formal);
  fields.Text("value", &node->value);
  if (Status search = ReadSearch(fields, node); !search) return search;
  if (Status confidence = ReadConfidence(fields, node); !confidence) return confidence;
  if (Status kv = ReadKv(fields, node); !kv) return kv;
  Status lists = ReadList(fields, "evidence", &node->evidence, ReadEvidence);
  if (lists) lists = ReadList(fields, "verification", &node->verification, ReadVerification);
  if (lists) lists = ReadList(fields, "tokens", &node->tokens, ReadToken);
  if (!lists) return lists;
  return fields.status();
}

Status ReadEdge(const OrderedJson& json, TraceEdge* edge) {
  JsonFields fields(json, "edge");
  fields.Text("from", &edge->from);
  fields.Text("to", &edge->to);
  if (edge->from.empty()) fields.Refuse("from", "is missing");
  if (edge->to.empty()) fields.Refuse("to", "is missing");
  ReadName(fields, "type", kEdges, &edge->type);
  fields.Number("weight", &edge->weight);
  return fields.status();
}

Status ReadStage(const OrderedJson& json, TraceStage* stage) {
  JsonFields fields(json, "stage");
  fields.Text("name", &stage->name);
  fields.Number("ms", &stage->ms);
  fields.Count("tokens", &stage->tokens);
  fields.Text("outcome", &stage->outcome);
  return fields.status();
}

Status ReadConflict(const OrderedJson& json, TraceConflict* conflict) {
  JsonFields fields(json, "conflict");
  fields.Text("reason", &conflict->reason);
  const auto read_id = [](const OrderedJson& item, const std::string& where, std::string* id) {
    if (!item.is_string()) return Status(Fail("is not text", where));
    *id = item.get<std::string>();
    return Status();
  };
  if (Status nodes = ReadList(fields, "nodes", &conflict->nodes, read_id); !nodes) return nodes;
  return fields.status();
}

}  // namespace ergo::reasoning
