#include "serve/endpoints/waiting_work.h"

#include <utility>

#include "generate/session.h"

namespace ergo::serve {

void WaitingWork::Count(const generate::Usage& usage) const {
  ticket->Spend(usage.prompt_tokens - usage.cached_tokens + usage.completion_tokens);
  ModelMetrics& metrics = call->service.metrics().Of(model->name);
  metrics.prompt_tokens += usage.prompt_tokens - usage.cached_tokens;
  metrics.generation_tokens += usage.completion_tokens;
}

bool StartWaitingWork(const CallPtr& call, std::shared_ptr<ServedModel> model,
                      std::function<void(const WaitingWork&)> job) {
  auto ticket = call->service.admission().Enter(*call->principal, std::chrono::steady_clock::now());
  if (!ticket) {
    ++call->service.metrics().refused;
    call->Fail(ticket.error());
    return false;
  }
  const WaitingWork work = {call, std::move(model), *std::move(ticket),
                            std::make_shared<std::atomic<bool>>(false)};
  call->exchange->OnGone([gone = work.gone] { *gone = true; });
  if (call->service.sessions().workers().Post([work, run = std::move(job)] { run(work); })) {
    return true;
  }
  ++call->service.metrics().refused;
  Failure failure = {FailureKind::kTooMany, "too many requests wait already", "queue_full", {}, {}};
  failure.retry_after = 1;
  call->Fail(failure);
  return false;
}

}  // namespace ergo::serve
