// For Prometheus: GET /metrics.
#include "serve/endpoints/all.h"

namespace ergo::serve {
namespace {

void Handle(const CallPtr& call) {
  std::vector<Metrics::Gauges> gauges;
  for (const Models::Listed& listed : call->service.models().List()) {
    if (!listed.model) continue;
    call->service.metrics().Of(listed.name);  // series are there from the start
    gauges.push_back({listed.name, (*listed.model)->scheduler().stats()});
  }
  call->service.metrics().CountReply(call->endpoint.path, 200);
  Reply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = call->service.metrics().Write(gauges, call->service.connections());
  call->exchange->Send(std::move(reply));
}

}  // namespace

const Endpoint kMetrics = {.method = "GET",
                           .path = "/metrics",
                           .summary = "Counters in Prometheus' text format",
                           .reply_type = "text/plain",
                           .open = true,
                           .handle = Handle};

}  // namespace ergo::serve
