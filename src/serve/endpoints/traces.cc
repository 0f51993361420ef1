// GET /v1/traces, GET and DELETE /v1/traces/{id}, GET /v1/traces/{id}/export.
#include <utility>

#include "reasoning/trace/export.h"
#include "serve/endpoints/all.h"
#include "serve/endpoints/trace_parts.h"

namespace ergo::serve {
namespace {

constexpr std::string_view kListQuery = R"json({
  "type": "object",
  "properties": {
    "limit": {"description": "1 to 1000", "type": "string", "default": "100"},
    "after": {"description": "Id of the last trace of the page before", "type": "string"},
    "status": {"type": "string",
               "enum": ["running", "answered", "uncertain", "cancelled", "failed", "interrupted"]},
    "strategy": {"type": "string"},
    "q": {"description": "Text in the question", "type": "string"}
  }
})json";

constexpr std::string_view kListReply = R"json({
  "type": "object", "required": ["object", "data", "has_more"],
  "properties": {
    "object": {"const": "list"}, "has_more": {"type": "boolean"},
    "data": {"type": "array", "items": {"type": "object", "required": ["id", "status", "question"],
      "properties": {
        "id": {"type": "string"}, "object": {"const": "trace"}, "question": {"type": "string"},
        "answer": {"type": "string"}, "status": {"type": "string"},
        "confidence": {"type": ["number", "null"]}, "strategy": {"type": "string"},
        "model": {"type": "string"}, "created_ms": {"type": "integer"},
        "events": {"type": "integer"}, "bytes": {"type": "integer"}}}}}
})json";

constexpr std::string_view kExportQuery = R"json({
  "type": "object",
  "properties": {"format": {"type": "string", "enum": ["html", "json", "dot", "mermaid"],
                            "default": "html"}}
})json";

constexpr std::string_view kDeleteReply = R"json({
  "type": "object", "required": ["id", "deleted"],
  "properties": {"id": {"type": "string"}, "object": {"const": "trace"}, "deleted": {"const": true}}
})json";

OrderedJson LineOf(const reasoning::StoredTrace& trace) {
  return {{"id", trace.id},
          {"object", "trace"},
          {"question", trace.question},
          {"answer", trace.answer},
          {"status", trace.status},
          {"confidence", trace.confidence ? OrderedJson(*trace.confidence) : OrderedJson(nullptr)},
          {"strategy", trace.strategy},
          {"model", trace.model_name},
          {"created_ms", trace.created_ms},
          {"events", trace.events},
          {"bytes", trace.bytes}};
}

void List(const CallPtr& call) {
  const auto store = TracesOf(call);
  if (!store) return call->Fail(store.error());
  const auto limit = QueryNumber(call, "limit", 100, {1, 1000});
  if (!limit) return call->Fail(limit.error());
  reasoning::TraceFilter filter;
  filter.owner = call->principal->owner;
  filter.limit = *limit + 1;
  filter.before = QueryText(call, "after");
  filter.status = QueryText(call, "status");
  filter.strategy = QueryText(call, "strategy");
  filter.text = QueryText(call, "q");
  auto traces = (*store)->List(filter);
  if (!traces) {
    return call->Fail({FailureKind::kInternal, traces.error().Message(), "trace_store", {}, {}});
  }
  const bool more = traces->size() > *limit;
  if (more) traces->resize(*limit);
  OrderedJson data = OrderedJson::array();
  for (const reasoning::StoredTrace& trace : *traces) data.push_back(LineOf(trace));
  call->Send(OrderedJson{{"object", "list"}, {"data", std::move(data)}, {"has_more", more}});
}

void Show(const CallPtr& call) {
  const auto loaded = LoadTraceOf(call);
  if (!loaded) return call->Fail(loaded.error());
  call->Send(ToJson(loaded->trace));
}

void Delete(const CallPtr& call) {
  const auto loaded = LoadTraceOf(call);
  if (!loaded) return call->Fail(loaded.error());
  const std::string& id = loaded->trace.id;
  if (const Status removed = call->service.traces()->Remove(id); !removed) {
    return call->Fail({FailureKind::kInvalid, removed.error().Message(), "trace_in_use", "id", {}});
  }
  call->Send(OrderedJson{{"id", id}, {"object", "trace"}, {"deleted", true}});
}

std::string_view ContentType(std::string_view format) {
  if (format == "html") return "text/html; charset=utf-8";
  return format == "json" ? "application/json" : "text/plain; charset=utf-8";
}

void Export(const CallPtr& call) {
  const auto loaded = LoadTraceOf(call);
  if (!loaded) return call->Fail(loaded.error());
  std::string format = QueryText(call, "format");
  if (format.empty()) format = "html";
  auto text = reasoning::ExportTrace(loaded->trace, loaded->events, format);
  if (!text) return call->Fail(Refuse(text.error(), "format").value());
  Reply reply;
  reply.content_type = ContentType(format);
  reply.body = *std::move(text);
  // What models wrote stands in the page.
  reply.headers.Add("Content-Security-Policy",
                    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                    "img-src data:");
  reply.headers.Add("X-Content-Type-Options", "nosniff");
  call->exchange->Send(std::move(reply));
}

}  // namespace

const Endpoint kListTraces = {.method = "GET",
                              .path = "/v1/traces",
                              .summary = "List the traces of this key, newest first",
                              .reply = kListReply,
                              .query = kListQuery,
                              .handle = List};

const Endpoint kShowTrace = {.method = "GET",
                             .path = "/v1/traces/{id}",
                             .summary = "Show a trace (docs/trace.schema.json)",
                             .reply = R"json({"type": "object"})json",
                             .handle = Show};

const Endpoint kDeleteTrace = {.method = "DELETE",
                               .path = "/v1/traces/{id}",
                               .summary = "Delete a trace",
                               .reply = kDeleteReply,
                               .handle = Delete};

const Endpoint kExportTrace = {.method = "GET",
                               .path = "/v1/traces/{id}/export",
                               .summary = "A trace as a page, a document or a graph",
                               .reply_type = "text/html",
                               .query = kExportQuery,
                               .handle = Export};

}  // namespace ergo::serve
