// Writes a trace while an answer is made.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>

#include "reasoning/trace/fold.h"
#include "reasoning/trace/trace.h"

namespace ergo::reasoning {

/// Told of every event, in order, under the recorder's lock: be brief, and do not call back.
using OnTraceEvent = std::function<void(const TraceEvent&)>;

/// Any thread. Each call is one event (Add with an edge is two); the document is their fold. What
/// models write may be any bytes: text is made UTF-8, numbers that are not finite become null,
/// log-probabilities keep four decimals. A call that does not fit (see Apply) records nothing and
/// is told by status().
class Recorder {
 public:
  /// Begins the trace with the fields of `head` that are known at the start (question, owner,
  /// model, strategy, settings, seed). An empty id is replaced by a new one.
  explicit Recorder(Trace head, OnTraceEvent on_event = {});
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  const std::string& id() const { return id_; }
  /// Adds a node and returns its id: given, or the next of "n1", "n2" …
  /// An id that is taken merges into the node that has it.
  std::string Add(TraceNode node);
  /// Adds a node, and an edge of `type` from it to `to`.
  std::string Add(TraceNode node, const std::string& to, EdgeType type);
  /// Fields of a node, as in its JSON: objects are merged, everything else is replaced.
  void Update(const std::string& node, OrderedJson fields);
  void Verify(const std::string& node, const NodeVerification& verification);
  void Link(TraceEdge edge);
  void Stage(TraceStage stage);
  void Conflict(TraceConflict conflict);
  void Memory(OrderedJson entry);
  /// Fields of the trace itself, as in its JSON: status, answer, confidence, budget … An event
  /// "end" if they hold a status that is not "running", else "set".
  void Set(OrderedJson fields);

  Trace Document() const;
  /// The first call that did not fit.
  Status status() const;

 private:
  std::string AddLocked(TraceNode node);
  void Emit(std::string type, OrderedJson patch);

  mutable std::mutex mutex_;
  TraceFold fold_;
  Status status_;
  std::string id_;
  OnTraceEvent on_event_;
  std::chrono::steady_clock::time_point start_;
  std::uint64_t next_node_ = 1;
};

/// A new id: 48 bits of time and 80 random ones in Crockford's base 32.
std::string NewTraceId();

}  // namespace ergo::reasoning
