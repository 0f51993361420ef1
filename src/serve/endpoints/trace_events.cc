// GET /v1/traces/{id}/events: the events of a trace from the first on, and those to come while it
// is being written, by whichever process.
#include <charconv>
#include <memory>
#include <utility>

#include "serve/endpoints/all.h"
#include "serve/endpoints/reply_parts.h"
#include "serve/endpoints/trace_parts.h"

namespace ergo::serve {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPage = 256;
/// How often a trace that is being written is looked at.
constexpr milliseconds kLook(150);
constexpr milliseconds kPing(10'000);

constexpr std::string_view kQuery = R"json({
  "type": "object",
  "properties": {"from": {"description": "The first event's seq; Last-Event-ID does the same",
                          "type": "string", "default": "0"}}
})json";

class Following : public std::enable_shared_from_this<Following> {
 public:
  Following(CallPtr call, std::string id, std::size_t from)
      : call_(std::move(call)), id_(std::move(id)), next_(from) {}

  void Begin() {
    stream_ = call_->Stream("text/event-stream");
    Look();
  }

 private:
  /// Reads what is new on a worker and writes it on the exchange's thread.
  void Look() {
    if (call_->exchange->gone()) return;
    const bool taken = call_->service.workers().Post([self = shared_from_this()] {
      auto tail = self->call_->service.traces()->Tail(self->id_, self->next_, kPage);
      self->call_->exchange->Post(
          [self, tail = std::move(tail)]() mutable { self->Write(std::move(tail)); });
    });
    if (!taken) LookLater();
  }
  void LookLater() {
    call_->exchange->PostAfter(kLook, [self = shared_from_this()] { self->Look(); });
  }

  void Write(Result<reasoning::TraceTail> tail) {
    if (!tail) {
      const Failure failure = {
          FailureKind::kNotFound, tail.error().Message(), "trace_gone", {}, {}};
      stream_->Write(ServerEvent("error", call_->endpoint.errors->body(failure)));
      return stream_->Finish();
    }
    std::string text;
    for (const reasoning::TraceEvent& event : tail->events) {
      text += "id: " + std::to_string(event.seq) + "\n" + ServerEvent(event.type, ToJson(event));
      next_ = event.seq + 1;
    }
    if (tail->complete || call_->service.draining()) {
      text += ServerEvent("done", {{"complete", tail->complete}, {"next", next_}});
      stream_->Write(text);
      return stream_->Finish();
    }
    silent_ = text.empty() ? silent_ + kLook : milliseconds(0);
    if (silent_ >= kPing) {
      silent_ = milliseconds(0);
      text = ": ping\n\n";
    }
    if (!text.empty()) stream_->Write(text);
    if (stream_->Full()) return stream_->OnRoom([self = shared_from_this()] { self->Look(); });
    if (tail->events.size() == kPage) return Look();
    LookLater();
  }

  CallPtr call_;
  std::string id_;
  std::uint64_t next_;
  std::shared_ptr<ReplyStream> stream_;
  milliseconds silent_{0};
};

/// Where a client that comes back left off; it knows the event that it saw last.
std::size_t FirstEvent(const CallPtr& call, std::size_t from) {
  const std::string* last = call->request().headers.Find("Last-Event-ID");
  if (last == nullptr) return from;
  std::size_t seq = 0;
  const char* end = last->data() + last->size();
  const auto [read, error] = std::from_chars(last->data(), end, seq);
  return error == std::errc() && read == end && seq < (std::size_t{1} << 53) ? seq + 1 : from;
}

void Handle(const CallPtr& call) {
  const auto loaded = LoadTraceOf(call);
  if (!loaded) return call->Fail(loaded.error());
  const auto from = QueryNumber(call, "from", 0, {0, std::size_t{1} << 53});
  if (!from) return call->Fail(from.error());
  std::make_shared<Following>(call, loaded->trace.id, FirstEvent(call, *from))->Begin();
}

}  // namespace

const Endpoint kTraceEvents = {.method = "GET",
                               .path = "/v1/traces/{id}/events",
                               .summary = "Follow the events of a trace",
                               .reply_type = "text/event-stream",
                               .stream_type = "text/event-stream",
                               .query = kQuery,
                               .handle = Handle};

}  // namespace ergo::serve
