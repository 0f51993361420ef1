// Traces on disk: an SQLite file with one row for each trace and one for each event, written as
// they come, so that whatever happens a readable prefix is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/trace/trace.h"

namespace ergo::reasoning {

struct StoreOptions {
  std::filesystem::path folder = {};  ///< holds traces.db; empty: DefaultStoreFolder()
  std::int64_t max_age_ms = std::int64_t{90} * 24 * 3600 * 1000;
  std::uint64_t max_bytes = std::uint64_t{1} << 30;  ///< of events; the oldest traces go first
  int busy_ms = 5000;                                ///< waits so long for other processes

  /// Age and size from ERGO_TRACE_DAYS and ERGO_TRACE_MB, where they are set to whole numbers.
  static StoreOptions FromEnvironment();
};

/// ERGO_HOME, else XDG_DATA_HOME/ergo, else HOME/.local/share/ergo. Error: none of them is set.
Result<std::filesystem::path> DefaultStoreFolder();

/// A line of a list.
struct StoredTrace {
  std::string id;
  std::string owner;
  std::string question;
  std::string answer;
  std::string status;  ///< as in Trace; "interrupted" if it was "running" and its writer is gone
  std::optional<double> confidence = {};
  std::string strategy;
  std::string model_name;
  std::int64_t created_ms = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  ///< of the events
};

struct TraceFilter {
  std::optional<std::string> owner = {};  ///< nothing: of whomever
  std::size_t limit = 1000;
  std::string before = {};    ///< only those that a list shows behind the trace of this id
  std::string status = {};    ///< as in StoredTrace; empty: any
  std::string strategy = {};  ///< empty: any
  std::string text = {};      ///< in the question; empty: any
};

struct LoadedTrace {
  Trace trace;  ///< status as in StoredTrace
  std::vector<TraceEvent> events;
  Status damage;  ///< why the rest of the events could not be read
};

/// What has come of a trace behind some event.
struct TraceTail {
  std::vector<TraceEvent> events;
  bool complete = false;  ///< nothing comes behind them: it is not being written any more
};

/// Any thread, any number of processes. A file that is damaged is moved aside (traces.db.damaged-…)
/// and a new one begun: at Open() with a notice, later with an error of the call that found it.
class TraceStore {
 public:
  /// Errors: the folder or file cannot be written, or was written by a newer version.
  static Result<std::unique_ptr<TraceStore>> Open(StoreOptions options);
  ~TraceStore();
  TraceStore(const TraceStore&) = delete;
  TraceStore& operator=(const TraceStore&) = delete;

  /// What a person should know of the opening: empty, or that a damaged file was moved aside.
  const std::string& notice() const;
  const std::filesystem::path& file() const;

  /// Newest first.
  Result<std::vector<StoredTrace>> List(const TraceFilter& filter = {}) const;
  /// The whole id of "last" or of an id's unique beginning, in either case of letters. Errors:
  /// none, or several, which are named.
  Result<std::string> Resolve(std::string_view id, const TraceFilter& filter = {}) const;
  Result<LoadedTrace> Load(const std::string& id) const;
  /// At most `most` events from `seq` on, of a trace that may still be written. Errors: there is
  /// no such trace, an event that is damaged.
  Result<TraceTail> Tail(const std::string& id, std::uint64_t seq, std::size_t most) const;
  /// Error: there is none, or it is being written.
  Status Remove(const std::string& id);
  /// Removes what is over the age and the size of the options; traces being written stay.
  Status Prune();

  /// A trace in the making. While one lives, other processes see it as running.
  struct Writing;
  /// Writes events of one trace, in order, all or none; the first ever is its "begin", which makes
  /// `writing`. Errors: an event that cannot begin a trace, an id that is taken, the disk is full.
  Status Append(std::shared_ptr<Writing>* writing, const std::vector<TraceEvent>& events);

 private:
  struct Impl;
  explicit TraceStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace ergo::reasoning
