// Takes the events of recorders to a store without keeping them waiting.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "reasoning/trace/recorder.h"
#include "reasoning/trace/store.h"

namespace ergo::reasoning {

/// One thread that writes the events of any number of traces. A trace that cannot be written (disk
/// full, store gone) is given up and told by status(); its answer is not touched.
class StoreWriter {
 public:
  /// `store` must outlive it. Prunes the store when a trace begins.
  explicit StoreWriter(TraceStore* store);
  /// Writes what is left.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  /// For one recorder; no call of it may come after this is gone. The trace counts as
  /// being written until the listener and its copies are gone.
  OnTraceEvent Listener();
  /// Waits until all events so far are written or given up.
  void Flush();
  /// The first trouble.
  Status status() const;

 private:
  struct Stream {
    std::shared_ptr<TraceStore::Writing> writing;
    bool given_up = false;
  };
  struct Entry {
    std::shared_ptr<Stream> stream;
    TraceEvent event;
  };

  void Queue(const std::shared_ptr<Stream>& stream, const TraceEvent& event);
  void Run();
  void Write(std::deque<Entry> batch);
  void Note(Status status);

  TraceStore* store_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<Entry> queue_;
  bool busy_ = false;
  bool ending_ = false;
  Status status_;
  std::thread thread_;
};

}  // namespace ergo::reasoning
