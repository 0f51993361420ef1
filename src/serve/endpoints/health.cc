// For probes: GET /health, GET /version.
#include "serve/endpoints/all.h"

namespace ergo::serve {
namespace {

void Health(const CallPtr& call) {
  if (call->service.draining()) {
    return call->Fail(
        {FailureKind::kUnavailable, "the server is shutting down", "draining", {}, 1});
  }
  switch (call->service.models().FirstState()) {
    case Models::State::kReady:
      return call->Send({{"status", "ok"}});
    case Models::State::kFailed:
      return call->Fail(
          {FailureKind::kUnavailable, "the model could not be loaded", "model_failed", {}, {}});
    case Models::State::kAbsent:
    case Models::State::kLoading:
      break;
  }
  call->Fail({FailureKind::kUnavailable, "Loading model", "loading_model", {}, 2});
}

void Version(const CallPtr& call) { call->Send({{"version", call->service.options().version}}); }

}  // namespace

const Endpoint kHealth = {.method = "GET",
                          .path = "/health",
                          .summary = "200 once the model is loaded, else 503",
                          .errors = &kOpenAiErrors,
                          .open = true,
                          .brief = true,
                          .handle = Health};

const Endpoint kVersion = {.method = "GET",
                           .path = "/version",
                           .summary = "Version of the server",
                           .open = true,
                           .brief = true,
                           .handle = Version};

}  // namespace ergo::serve
