#include "reasoning/trace/store_writer.h"

#include <utility>

namespace ergo::reasoning {
namespace {

/// Events that wait for a slow disk, before traces are given up.
constexpr std::size_t kMostWaiting = 200'000;

}  // namespace

StoreWriter::StoreWriter(TraceStore* store) : store_(store), thread_([this] { Run(); }) {}

StoreWriter::~StoreWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

OnTraceEvent StoreWriter::Listener() {
  return [this, stream = std::make_shared<Stream>()](const TraceEvent& event) {
    Queue(stream, event);
  };
}

void StoreWriter::Queue(const std::shared_ptr<Stream>& stream, const TraceEvent& event) {
  Entry entry{stream, event};
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMostWaiting) {
      if (status_) status_ = Fail("is too slow for the events that come", store_->file().string());
      return;  // The next event of this trace is then out of order, and it is given up.
    }
    queue_.push_back(std::move(entry));
  }
  wake_.notify_one();
}

void StoreWriter::Flush() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

Status StoreWriter::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void StoreWriter::Note(Status status) {
  const std::lock_guard lock(mutex_);
  if (status_) status_ = std::move(status);
}

void StoreWriter::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::deque<Entry> batch = std::exchange(queue_, {});
    busy_ = true;
    lock.unlock();
    Write(std::move(batch));
    lock.lock();
    busy_ = false;
    idle_.notify_all();
  }
}

/// Runs of events of one trace go into one transaction.
void StoreWriter::Write(std::deque<Entry> batch) {
  while (!batch.empty()) {
    const std::shared_ptr<Stream> stream = batch.front().stream;
    std::vector<TraceEvent> events;
    while (!batch.empty() && batch.front().stream == stream) {
      events.push_back(std::move(batch.front().event));
      batch.pop_front();
    }
    if (stream->given_up) continue;
    // Room is made before it is needed.
    if (!stream->writing) {
      if (Status pruned = store_->Prune(); !pruned) Note(std::move(pruned));
    }
    if (Status written = store_->Append(&stream->writing, events); !written) {
      stream->given_up = true;
      stream->writing.reset();
      Note(std::move(written));
    }
  }
}

}  // namespace ergo::reasoning
