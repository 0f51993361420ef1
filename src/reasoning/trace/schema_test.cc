// Documents and events are as docs/trace.schema.json says.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "reasoning/trace/recorder.h"
#include "reasoning/trace/trace.h"

namespace ergo::reasoning {
namespace {

OrderedJson Schema() {
  std::ifstream file(ERGO_SOURCE_DIR "/docs/trace.schema.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto json = ParseOrderedJson(text.str(), "docs/trace.schema.json");
  EXPECT_TRUE(json) << json.error().Message();
  return json.value_or(OrderedJson());
}

bool HasType(const OrderedJson& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return type == "null" && value.is_null();
}

/// The part of JSON Schema that the file uses; any other keyword is refused. Empty: it is valid.
/// Unlike the standard it also refuses properties that the schema does not name.
std::string Invalid(const OrderedJson& value, const OrderedJson& schema, const OrderedJson& root,
                    const std::string& where) {
  if (schema.is_boolean()) return schema.get<bool>() ? "" : where + ": nothing may stand here";
  for (const auto& [keyword, rule] : schema.items()) {
    if (keyword == "$ref") {
      const std::string path = rule.get<std::string>().substr(1);
      const std::string error =
          Invalid(value, root.at(OrderedJson::json_pointer(path)), root, where);
      if (!error.empty()) return error;
    } else if (keyword == "type") {
      if (!HasType(value, rule)) return where + ": is no " + rule.get<std::string>();
    } else if (keyword == "const") {
      if (value != rule) return where + ": is not " + rule.dump();
    } else if (keyword == "enum") {
      if (std::find(rule.begin(), rule.end(), value) == rule.end()) return where + ": not in enum";
    } else if (keyword == "anyOf") {
      if (std::none_of(rule.begin(), rule.end(), [&](const OrderedJson& each) {
            return Invalid(value, each, root, where).empty();
          })) {
        return where + ": none of anyOf";
      }
    } else if (keyword == "required") {
      for (const OrderedJson& name : rule) {
        if (!value.contains(name.get<std::string>())) return where + ": lacks " + name.dump();
      }
    } else if (keyword == "properties") {
      for (const auto& [name, part] : value.items()) {
        if (!rule.contains(name)) return where + ": unknown " + name;
        const std::string error = Invalid(part, rule.at(name), root, where + "." + name);
        if (!error.empty()) return error;
      }
    } else if (keyword == "items") {
      for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string error =
            Invalid(value[i], rule, root, where + "[" + std::to_string(i) + "]");
        if (!error.empty()) return error;
      }
    } else if (keyword == "minimum" || keyword == "maximum") {
      const double bound = rule.get<double>();
      const bool fits = keyword == "minimum" ? value >= bound : value <= bound;
      if (!fits) return where + ": out of range";
    } else if (keyword == "minItems" || keyword == "maxItems") {
      const bool fits = keyword == "minItems" ? value.size() >= rule : value.size() <= rule;
      if (!fits) return where + ": wrong length";
    } else if (keyword == "minLength") {
      if (value.get<std::string>().size() < rule.get<std::size_t>()) return where + ": too short";
    } else if (keyword != "$schema" && keyword != "$id" && keyword != "$defs" &&
               keyword != "title" && keyword != "description" && keyword != "examples") {
      return where + ": the schema uses " + keyword;
    }
  }
  return "";
}

/// Everything that a trace can hold; fields that are left out when empty, too.
Trace Full(std::vector<TraceEvent>* events) {
  Trace head;
  head.question = "?";
  head.settings["any"] = {1, "x"};
  head.seed = std::numeric_limits<std::uint64_t>::max();
  Recorder recorder(head, [&](const TraceEvent& event) { events->push_back(event); });
  for (int kind = 0; kind < 8; ++kind) {
    TraceNode node;
    node.kind = static_cast<NodeKind>(kind);
    recorder.Add(node);
    node.text = "t";
    node.formal = "f";
    node.value = "v";
    node.search = {"n1", 2, 3, 0.5, 0.25};
    node.confidence = {0.1, 0.2, 0.3, 0.4, 0.5};
    node.evidence = {{"s", {1, 2}, "entails", 1.0}};
    node.tokens = {{"\xE4", -std::numeric_limits<double>::infinity(), 0.5}, {"b", -1.0, {}}};
    node.kv_new = 2;
    const std::string id = recorder.Add(node);
    for (int verdict = 0; verdict < 4; ++verdict) {
      recorder.Verify(id, {"m", static_cast<Verdict>(verdict), true, "s", "d", {0, 1}, "v"});
    }
  }
  for (int type = 0; type < 6; ++type) {
    recorder.Link({"n1", "n2", static_cast<EdgeType>(type), 1.0});
  }
  recorder.Stage({"derive", 1.5, 3, "done"});
  recorder.Conflict({{"n1", "n2"}, "both"});
  recorder.Memory({{"any", "thing"}});
  recorder.Set({{"budget", {{"tokens", 3}}}});
  recorder.Set({{"status", "answered"}, {"confidence", 0.5}});
  EXPECT_TRUE(recorder.status());
  return recorder.Document();
}

TEST(TraceSchemaTest, DocumentsAndEventsAreValid) {
  const OrderedJson schema = Schema();
  ASSERT_TRUE(schema.is_object());
  EXPECT_EQ(schema["properties"]["schema_version"]["const"], kTraceSchemaVersion);
  EXPECT_EQ(schema["$id"], "urn:ergo:trace:" + std::to_string(kTraceSchemaVersion));
  EXPECT_EQ(Invalid(ToJson(Trace()), schema, schema, "trace"), "");
  std::vector<TraceEvent> events;
  const OrderedJson json = ToJson(Full(&events));
  EXPECT_EQ(Invalid(json, schema, schema, "trace"), "");
  const OrderedJson& event_schema = schema["$defs"]["event"];
  std::vector<std::string> types;
  for (const TraceEvent& event : events) {
    EXPECT_EQ(Invalid(ToJson(event), event_schema, schema, "event"), "");
    types.push_back(event.type);
  }
  for (const OrderedJson& type : event_schema["properties"]["type"]["enum"]) {
    EXPECT_NE(std::find(types.begin(), types.end(), type.get<std::string>()), types.end()) << type;
  }
}

TEST(TraceSchemaTest, WhatIsWrongIsFound) {
  const OrderedJson schema = Schema();
  std::vector<TraceEvent> events;
  const OrderedJson json = ToJson(Full(&events));
  const auto invalid = [&](const char* pointer, OrderedJson value) {
    OrderedJson wrong = json;
    wrong[OrderedJson::json_pointer(pointer)] = std::move(value);
    return !Invalid(wrong, schema, schema, "trace").empty();
  };
  EXPECT_TRUE(invalid("/schema_version", 2));
  EXPECT_TRUE(invalid("/confidence", 1.5));
  EXPECT_TRUE(invalid("/nodes/0/kind", "thought"));
  EXPECT_TRUE(invalid("/nodes/1/verification/0/exact", 1));
  EXPECT_TRUE(invalid("/nodes/1/tokens/0/bytes/0", 256));
  EXPECT_TRUE(invalid("/nodes/1/evidence/0/span", {1}));
  EXPECT_TRUE(invalid("/edges/0/from", ""));
  EXPECT_TRUE(invalid("/budget/calls", -1));
  EXPECT_TRUE(invalid("/mood", "good"));
  OrderedJson lacking = json;
  lacking.erase("seed");
  EXPECT_FALSE(Invalid(lacking, schema, schema, "trace").empty());
}

}  // namespace
}  // namespace ergo::reasoning
