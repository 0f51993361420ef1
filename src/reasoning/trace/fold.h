// Makes the document of a trace from its events, one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "reasoning/trace/trace.h"

namespace ergo::reasoning {

/// Like Apply, but it finds nodes by an index and insists on seq 0, 1, 2 …
class TraceFold {
 public:
  /// Error: see Apply; nothing has changed then.
  Status Add(const TraceEvent& event);

  const Trace& trace() const { return trace_; }
  Trace Take() && { return std::move(trace_); }
  /// nullptr if there is none.
  const TraceNode* Find(const std::string& node_id) const;
  /// What the next event's seq has to be.
  std::uint64_t next_seq() const { return next_seq_; }

 private:
  Trace trace_;
  std::unordered_map<std::string, std::size_t> index_;
  std::uint64_t next_seq_ = 0;
};

}  // namespace ergo::reasoning
