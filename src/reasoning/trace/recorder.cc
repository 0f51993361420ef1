#include "reasoning/trace/recorder.h"

#include <cmath>
#include <random>
#include <utility>

#include "reasoning/trace/json_fields.h"
#include "reasoning/trace/patch.h"

namespace ergo::reasoning {
namespace {

std::int64_t UnixMilliseconds() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

double Rounded(double value, double per_unit) { return std::round(value * per_unit) / per_unit; }

OrderedJson NodeJson(TraceNode node) {
  // Ten more digits of each token would be most of a trace's bytes.
  for (TraceToken& token : node.tokens) {
    token.logprob = Rounded(token.logprob, 1e4);
    if (token.entropy) token.entropy = Rounded(*token.entropy, 1e4);
  }
  return ToJson(node);
}

}  // namespace

Recorder::Recorder(Trace head, OnTraceEvent on_event)
    : on_event_(std::move(on_event)), start_(std::chrono::steady_clock::now()) {
  if (head.id.empty()) head.id = NewTraceId();
  if (head.created_ms == 0) head.created_ms = UnixMilliseconds();
  head.schema_version = kTraceSchemaVersion;
  const std::lock_guard lock(mutex_);
  Emit("begin", HeadToJson(head));
  id_ = fold_.trace().id;
}

std::string Recorder::Add(TraceNode node) {
  const std::lock_guard lock(mutex_);
  return AddLocked(std::move(node));
}

std::string Recorder::Add(TraceNode node, const std::string& to, EdgeType type) {
  const std::lock_guard lock(mutex_);
  std::string id = AddLocked(std::move(node));
  Emit("edge", ToJson(TraceEdge{id, to, type}));
  return id;
}

std::string Recorder::AddLocked(TraceNode node) {
  while (node.id.empty()) {
    std::string id = "n" + std::to_string(next_node_++);
    if (!fold_.Find(id)) node.id = std::move(id);
  }
  OrderedJson patch = NodeJson(std::move(node));
  std::string id = patch["id"].get<std::string>();
  Emit("node", std::move(patch));
  return id;
}

void Recorder::Update(const std::string& node, OrderedJson fields) {
  OrderedJson patch = OrderedJson::object();
  patch["id"] = node;
  const std::lock_guard lock(mutex_);
  if (!fields.is_object()) {
    if (status_) status_ = Fail("fields are not an object", "node " + node);
    return;
  }
  for (auto& [name, value] : fields.items()) {
    if (name != "id") patch[name] = std::move(value);
  }
  Emit("node", Writable(std::move(patch)));
}

void Recorder::Verify(const std::string& node, const NodeVerification& verification) {
  const std::lock_guard lock(mutex_);
  TraceNode changed;
  if (const TraceNode* known = fold_.Find(node)) changed.verification = known->verification;
  changed.verification.push_back(verification);
  OrderedJson patch = OrderedJson::object();
  patch["id"] = node;
  patch["verification"] = std::move(ToJson(changed)["verification"]);
  Emit("node", Writable(std::move(patch)));
}

void Recorder::Link(TraceEdge edge) {
  const std::lock_guard lock(mutex_);
  Emit("edge", ToJson(edge));
}

void Recorder::Stage(TraceStage stage) {
  const std::lock_guard lock(mutex_);
  Emit("stage", ToJson(stage));
}

void Recorder::Conflict(TraceConflict conflict) {
  const std::lock_guard lock(mutex_);
  Emit("conflict", ToJson(conflict));
}

void Recorder::Memory(OrderedJson entry) {
  const std::lock_guard lock(mutex_);
  Emit("memory", Writable(std::move(entry)));
}

void Recorder::Set(OrderedJson fields) {
  const auto status = fields.is_object() ? fields.find("status") : fields.end();
  const bool ends = fields.is_object() && status != fields.end() && *status != "running";
  const std::lock_guard lock(mutex_);
  Emit(ends ? "end" : "set", Writable(std::move(fields)));
}

Trace Recorder::Document() const {
  const std::lock_guard lock(mutex_);
  return fold_.trace();
}

Status Recorder::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Recorder::Emit(std::string type, OrderedJson patch) {
  const std::chrono::duration<double, std::milli> since = std::chrono::steady_clock::now() - start_;
  TraceEvent event{fold_.next_seq(), Rounded(since.count(), 1e3), std::move(type),
                   std::move(patch)};
  if (Status added = fold_.Add(event); !added) {
    if (status_) status_ = std::move(added);
    return;
  }
  if (on_event_) on_event_(event);
}

std::string NewTraceId() {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  static std::mutex mutex;
  static std::random_device device;
  std::string id(26, '0');
  auto time = static_cast<std::uint64_t>(UnixMilliseconds());
  for (std::size_t i = 10; i-- > 0; time >>= 5) id[i] = kDigits[time & 31];
  const std::lock_guard lock(mutex);
  for (std::size_t i = 10; i < 26; ++i) id[i] = kDigits[device() & 31];
  return id;
}

}  // namespace ergo::reasoning
