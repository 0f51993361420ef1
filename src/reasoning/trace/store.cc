#include "reasoning/trace/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <utility>

#include "base/utf8.h"
#include "reasoning/trace/fold.h"
#include "reasoning/trace/live_keys.h"
#include "reasoning/trace/patch.h"
#include "reasoning/trace/recorder.h"
#include "reasoning/trace/sqlite.h"
#include "reasoning/trace/store_schema.h"

namespace ergo::reasoning {
namespace {

namespace fs = std::filesystem;

/// The lock of opening, migrating and moving aside; keys of traces are greater.
constexpr std::int64_t kOpening = 0;

std::int64_t UnixMilliseconds() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::optional<std::uint64_t> WholeNumber(const char* name) {
  const std::string text = Environment(name);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return std::min<std::uint64_t>(value, 1'000'000'000);
}

/// Sorted by time, and different in every process and file: locks are told apart by it.
std::int64_t NewKey() {
  static std::random_device device;
  return (UnixMilliseconds() << 20) | static_cast<std::int64_t>(device() & 0xFFFFF);
}

Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) {
    return Fail("the folder cannot be made: " + error.message(), folder.string(),
                "make it, or name another one in ERGO_HOME");
  }
  // Questions are private.
  if (made) fs::permissions(folder, fs::perms::owner_all, error);
  return {};
}

Result<Database> OpenTables(const fs::path& file, int busy_ms, bool* damaged) {
  *damaged = false;
  // SQLite gives its other files the permissions of this one.
  if (const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); fd >= 0) ::close(fd);
  auto database = Database::Open(file, busy_ms);
  if (!database) return database;
  if (Status migrated = MigrateStore(*database, file.string()); !migrated) {
    *damaged = database->trouble() == SqlTrouble::kDamaged;
    return tl::unexpected(std::move(migrated).error());
  }
  const auto tables = database->Prepare(
      "SELECT id, owner, question, answer, status, confidence, strategy, model, created_ms, "
      "trace.events, bytes, seq, t_ms, type, patch FROM trace JOIN event ON key = trace LIMIT 1");
  if (!tables) {
    *damaged = true;
    return tl::unexpected(tables.error());
  }
  return database;
}

StoredTrace ReadRow(const Statement& row) {
  StoredTrace trace;
  trace.id = row.Text(1);
  trace.owner = row.Text(2);
  trace.question = row.Text(3);
  trace.answer = row.Text(4);
  trace.status = row.Text(5);
  trace.confidence = row.Real(6);
  trace.strategy = row.Text(7);
  trace.model_name = row.Text(8);
  trace.created_ms = row.Integer(9);
  trace.events = static_cast<std::uint64_t>(std::max<std::int64_t>(row.Integer(10), 0));
  trace.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(row.Integer(11), 0));
  return trace;
}

Result<TraceEvent> ReadEvent(const Statement& row) {
  auto patch = ParseOrderedJson(row.Text(3), "event " + std::to_string(row.Integer(0)));
  if (!patch) return tl::unexpected(patch.error());
  return TraceEvent{static_cast<std::uint64_t>(row.Integer(0)), row.Real(1).value_or(0.0),
                    row.Text(2), std::move(*patch)};
}

}  // namespace

struct TraceStore::Writing {
  std::shared_ptr<LiveKeys> live;
  std::int64_t key = 0;
  std::uint64_t generation = 0;
  std::uint64_t next_seq = 0;
  Trace head;

  ~Writing() { live->Release(key); }
};

struct TraceStore::Impl {
  StoreOptions options;
  fs::path file;
  std::string notice;
  std::shared_ptr<LiveKeys> live;
  std::mutex mutex;
  std::optional<Database> database;
  std::uint64_t generation = 0;  ///< counts the files: what was begun in another one is gone

  Status Reopen(bool check);
  Status MoveAside(const std::string& why);
  Error Explain(Error error);
  Status Insert(Writing& writing, const std::vector<TraceEvent>& events);
  Status UpdateRow(const Writing& writing, std::size_t events, std::size_t bytes);
  Result<std::int64_t> KeyOf(const std::string& id);
  Result<std::string> StatusOf(std::int64_t key);
  Status Delete(std::int64_t key);
  Result<std::vector<std::int64_t>> Superfluous();
};

/// Opens the file, whose damage (looked for everywhere if `check`) leads to a new one.
Status TraceStore::Impl::Reopen(bool check) {
  database.reset();
  if (!live->HoldWithin(kOpening, options.busy_ms)) {
    return Fail("another process is opening it for too long", file.string(), "try again");
  }
  bool damaged = false;
  auto opened = OpenTables(file, options.busy_ms, &damaged);
  if (opened && check) {
    auto quick = opened->Prepare("PRAGMA quick_check(1)");
    const auto row = quick ? quick->Step() : Result<bool>(tl::unexpected(quick.error()));
    damaged = !row || !*row || quick->Text(0) != "ok";
    if (damaged) opened = Fail(row && *row ? quick->Text(0) : "is damaged", file.string());
  }
  Status status;
  if (damaged) {
    const std::string why = opened.error().what;
    opened = Fail("");  // Closes it.
    status = MoveAside(why);
    if (status) opened = OpenTables(file, options.busy_ms, &damaged);
  }
  live->Release(kOpening);
  if (!status) return status;
  if (!opened) return tl::unexpected(opened.error());
  database = std::move(*opened);
  return {};
}

Status TraceStore::Impl::MoveAside(const std::string& why) {
  fs::path aside = file;
  aside += ".damaged-" + NewTraceId();
  for (const char* suffix : {"-wal", "-journal"}) {
    fs::path from = file;
    fs::path to = aside;
    std::error_code ignored;
    fs::rename(from += suffix, to += suffix, ignored);
  }
  fs::path shared = file;
  std::error_code error;
  fs::remove(shared += "-shm", error);
  fs::rename(file, aside, error);
  if (error) {
    return Fail("is damaged (" + why + ") and cannot be moved aside: " + error.message(),
                file.string(), "move it away");
  }
  ++generation;
  notice = file.string() + " was damaged (" + why + "): it is now " + aside.string() +
           ", and a new one is begun";
  return {};
}

/// The error of a call; if the file is damaged it is replaced by a new one.
Error TraceStore::Impl::Explain(Error error) {
  if (!database || database->trouble() != SqlTrouble::kDamaged) return error;
  const std::uint64_t before = generation;
  if (Status reopened = Reopen(true); !reopened) return std::move(reopened).error();
  if (generation != before) {
    error.what = "was damaged";
    error.remedy = notice;
  }
  return error;
}

Result<std::int64_t> TraceStore::Impl::KeyOf(const std::string& id) {
  auto find = database->Prepare("SELECT key FROM trace WHERE id = ?");
  if (!find) return tl::unexpected(find.error());
  const auto row = find->Bind(1, id).Step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return Fail("no such trace", QuoteForMessage(id, 40), "see `ergo trace list`");
  return find->Integer(0);
}

Result<std::string> TraceStore::Impl::StatusOf(std::int64_t key) {
  auto find = database->Prepare("SELECT status FROM trace WHERE key = ?");
  if (!find) return tl::unexpected(find.error());
  const auto row = find->Bind(1, key).Step();
  if (!row) return tl::unexpected(row.error());
  return *row ? find->Text(0) : std::string();
}

Status TraceStore::Impl::Insert(Writing& writing, const std::vector<TraceEvent>& events) {
  auto insert =
      database->Prepare("INSERT INTO event (trace, seq, t_ms, type, patch) VALUES (?, ?, ?, ?, ?)");
  if (!insert) return tl::unexpected(insert.error());
  std::size_t bytes = 0;
  for (const TraceEvent& event : events) {
    if (event.seq != writing.next_seq) {
      return Fail("event " + std::to_string(event.seq) + " is out of order", writing.head.id);
    }
    if (event.type == "begin" || event.type == "set" || event.type == "end") {
      if (Status read = ReadHead(event.patch, &writing.head); !read) return read;
    }
    const std::string patch =
        event.patch.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    insert->Bind(1, writing.key).Bind(2, static_cast<std::int64_t>(event.seq));
    insert->Bind(3, std::optional<double>(event.t_ms)).Bind(4, event.type).Bind(5, patch);
    if (Status done = insert->Finish(); !done) return done;
    bytes += patch.size() + event.type.size() + 16;
    ++writing.next_seq;
  }
  return UpdateRow(writing, events.size(), bytes);
}

Status TraceStore::Impl::UpdateRow(const Writing& writing, std::size_t events, std::size_t bytes) {
  auto update = database->Prepare(
      "INSERT INTO trace (key, id, owner, question, answer, status, confidence, strategy, model, "
      "created_ms, events, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) "
      "ON CONFLICT (key) DO UPDATE SET answer = ?5, status = ?6, confidence = ?7, strategy = ?8, "
      "model = ?9, events = events + ?11, bytes = bytes + ?12");
  if (!update) return tl::unexpected(update.error());
  const Trace& head = writing.head;
  update->Bind(1, writing.key).Bind(2, head.id).Bind(3, head.owner).Bind(4, head.question);
  update->Bind(5, head.answer).Bind(6, head.status).Bind(7, head.confidence);
  update->Bind(8, head.strategy).Bind(9, head.model_name).Bind(10, head.created_ms);
  update->Bind(11, static_cast<std::int64_t>(events)).Bind(12, static_cast<std::int64_t>(bytes));
  return update->Finish();
}

Status TraceStore::Impl::Delete(std::int64_t key) {
  auto remove = database->Prepare("DELETE FROM trace WHERE key = ?");
  if (!remove) return tl::unexpected(remove.error());
  return remove->Bind(1, key).Finish();
}

/// Traces over the age or the size, oldest first.
Result<std::vector<std::int64_t>> TraceStore::Impl::Superfluous() {
  auto rows =
      database->Prepare("SELECT key, created_ms, bytes FROM trace ORDER BY created_ms DESC");
  if (!rows) return tl::unexpected(rows.error());
  const std::int64_t oldest = UnixMilliseconds() - options.max_age_ms;
  std::uint64_t bytes = 0;
  std::vector<std::int64_t> keys;
  for (;;) {
    const auto row = rows->Step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    bytes += static_cast<std::uint64_t>(std::max<std::int64_t>(rows->Integer(2), 0));
    if (rows->Integer(1) < oldest || bytes > options.max_bytes) keys.push_back(rows->Integer(0));
  }
  std::reverse(keys.begin(), keys.end());
  return keys;
}

StoreOptions StoreOptions::FromEnvironment() {
  StoreOptions options;
  if (const auto days = WholeNumber("ERGO_TRACE_DAYS")) {
    options.max_age_ms = static_cast<std::int64_t>(*days) * 24 * 3600 * 1000;
  }
  if (const auto megabytes = WholeNumber("ERGO_TRACE_MB")) {
    options.max_bytes = *megabytes * 1'000'000;
  }
  return options;
}

Result<fs::path> DefaultStoreFolder() {
  if (const auto home = Environment("ERGO_HOME"); !home.empty()) return fs::path(home);
  if (const auto data = Environment("XDG_DATA_HOME"); !data.empty()) return fs::path(data) / "ergo";
  if (const auto home = Environment("HOME"); !home.empty()) {
    return fs::path(home) / ".local" / "share" / "ergo";
  }
  return Fail("there is no folder for traces", "", "set ERGO_HOME to one");
}

TraceStore::TraceStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TraceStore::~TraceStore() = default;
const std::string& TraceStore::notice() const { return impl_->notice; }
const fs::path& TraceStore::file() const { return impl_->file; }

Result<std::unique_ptr<TraceStore>> TraceStore::Open(StoreOptions options) {
  if (options.folder.empty()) {
    const auto folder = DefaultStoreFolder();
    if (!folder) return tl::unexpected(folder.error());
    options.folder = *folder;
  }
  if (Status made = MakeFolder(options.folder); !made) return tl::unexpected(made.error());
  auto live = LiveKeys::Open(options.folder / "traces.lock");
  if (!live) return tl::unexpected(live.error());
  auto impl = std::make_unique<Impl>();
  impl->file = options.folder / "traces.db";
  impl->options = std::move(options);
  impl->live = std::move(*live);
  if (Status opened = impl->Reopen(false); !opened) return tl::unexpected(opened.error());
  return std::unique_ptr<TraceStore>(new TraceStore(std::move(impl)));
}

namespace {

bool Passes(const StoredTrace& trace, const TraceFilter& filter) {
  return (filter.status.empty() || trace.status == filter.status) &&
         (filter.strategy.empty() || trace.strategy == filter.strategy) &&
         trace.question.find(filter.text) != std::string::npos;
}

}  // namespace

Result<std::vector<StoredTrace>> TraceStore::List(const TraceFilter& filter) const {
  const std::lock_guard guard(impl_->mutex);
  if (!impl_->database) return Fail("is not open", impl_->file.string());
  auto rows = impl_->database->Prepare(
      "SELECT key, id, owner, question, answer, status, confidence, strategy, model, created_ms, "
      "events, bytes FROM trace WHERE (?1 OR owner = ?2) AND (?3 = '' OR (created_ms, key) < "
      "(SELECT created_ms, key FROM trace WHERE id = ?3)) ORDER BY created_ms DESC, key DESC");
  if (!rows) return tl::unexpected(impl_->Explain(rows.error()));
  rows->Bind(1, std::int64_t{filter.owner ? 0 : 1}).Bind(2, filter.owner.value_or(""));
  rows->Bind(3, filter.before);
  std::vector<StoredTrace> traces;
  while (traces.size() < filter.limit) {
    const auto row = rows->Step();
    if (!row) return tl::unexpected(impl_->Explain(row.error()));
    if (!*row) break;
    StoredTrace trace = ReadRow(*rows);
    const std::int64_t key = rows->Integer(0);
    if (trace.status == "running" && !impl_->live->IsHeld(key)) {
      // Its writer may have ended it just now.
      const auto status = impl_->StatusOf(key);
      if (!status) return tl::unexpected(impl_->Explain(status.error()));
      trace.status = *status == "running" ? "interrupted" : *status;
    }
    if (Passes(trace, filter)) traces.push_back(std::move(trace));
  }
  return traces;
}

Result<std::string> TraceStore::Resolve(std::string_view id, const TraceFilter& filter) const {
  TraceFilter all = filter;
  all.limit = id == "last" ? 1 : 1'000'000;
  const auto traces = List(all);
  if (!traces) return tl::unexpected(traces.error());
  if (id == "last") {
    if (!traces->empty()) return traces->front().id;
    return Fail("there are no traces yet", "", "`ergo run \"question\"` makes one");
  }
  std::string prefix(id);
  for (char& c : prefix) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::vector<std::string> found;
  for (const StoredTrace& trace : *traces) {
    if (trace.id == id) return trace.id;
    if (!prefix.empty() && trace.id.starts_with(prefix)) found.push_back(trace.id);
  }
  if (found.size() == 1) return found[0];
  const std::string name = QuoteForMessage(id, 40);
  if (found.empty()) return Fail("no such trace", name, "see `ergo trace list`");
  return Fail("begins the ids of " + std::to_string(found.size()) + " traces, " + found[0] +
                  " and " + found[1] + " among them",
              name, "give more of it");
}

Result<LoadedTrace> TraceStore::Load(const std::string& id) const {
  const std::lock_guard guard(impl_->mutex);
  if (!impl_->database) return Fail("is not open", impl_->file.string());
  const auto key = impl_->KeyOf(id);
  if (!key) return tl::unexpected(impl_->Explain(key.error()));
  const bool live = impl_->live->IsHeld(*key);  // Before reading: what is read then is the end.
  auto rows = impl_->database->Prepare(
      "SELECT seq, t_ms, type, patch FROM event WHERE trace = ? ORDER BY seq");
  if (!rows) return tl::unexpected(impl_->Explain(rows.error()));
  rows->Bind(1, *key);
  LoadedTrace loaded;
  TraceFold fold;
  while (loaded.damage) {
    const auto row = rows->Step();
    if (!row) {
      // What is readable is worth more than the error.
      loaded.damage = tl::unexpected(row.error());
      break;
    }
    if (!*row) break;
    auto event = ReadEvent(*rows);
    loaded.damage = event ? fold.Add(*event) : Status(tl::unexpected(event.error()));
    if (loaded.damage) loaded.events.push_back(std::move(*event));
  }
  loaded.trace = std::move(fold).Take();
  loaded.trace.id = id;
  if (loaded.trace.status == "running" && !live) loaded.trace.status = "interrupted";
  return loaded;
}

Result<TraceTail> TraceStore::Tail(const std::string& id, std::uint64_t seq,
                                   std::size_t most) const {
  const std::lock_guard guard(impl_->mutex);
  if (!impl_->database) return Fail("is not open", impl_->file.string());
  const auto key = impl_->KeyOf(id);
  if (!key) return tl::unexpected(impl_->Explain(key.error()));
  const bool live = impl_->live->IsHeld(*key);  // Before reading: what is read then is the end.
  auto rows = impl_->database->Prepare(
      "SELECT seq, t_ms, type, patch FROM event WHERE trace = ? AND seq >= ? ORDER BY seq LIMIT ?");
  if (!rows) return tl::unexpected(impl_->Explain(rows.error()));
  rows->Bind(1, *key).Bind(2, static_cast<std::int64_t>(seq));
  rows->Bind(3, static_cast<std::int64_t>(most));
  TraceTail tail;
  for (;;) {
    const auto row = rows->Step();
    if (!row) return tl::unexpected(impl_->Explain(row.error()));
    if (!*row) break;
    auto event = ReadEvent(*rows);
    if (!event) return Fail(std::move(event));
    tail.events.push_back(std::move(*event));
  }
  tail.complete = !live && tail.events.size() < most;
  return tail;
}

Status TraceStore::Remove(const std::string& id) {
  const std::lock_guard guard(impl_->mutex);
  if (!impl_->database) return Fail("is not open", impl_->file.string());
  const auto key = impl_->KeyOf(id);
  if (!key) return tl::unexpected(impl_->Explain(key.error()));
  if (impl_->live->IsHeld(*key)) {
    return Fail("is being written", id, "stop its answer first, or wait for it");
  }
  if (Status removed = impl_->Delete(*key); !removed) {
    return tl::unexpected(impl_->Explain(std::move(removed).error()));
  }
  return {};
}

Status TraceStore::Prune() {
  const std::lock_guard guard(impl_->mutex);
  if (!impl_->database) return Fail("is not open", impl_->file.string());
  const auto keys = impl_->Superfluous();
  if (!keys) return tl::unexpected(impl_->Explain(keys.error()));
  if (keys->empty()) return {};
  for (const std::int64_t key : *keys) {
    if (impl_->live->IsHeld(key)) continue;
    if (Status removed = impl_->Delete(key); !removed) {
      return tl::unexpected(impl_->Explain(std::move(removed).error()));
    }
  }
  return impl_->database->Run("PRAGMA incremental_vacuum");
}

Status TraceStore::Append(std::shared_ptr<Writing>* writing,
                          const std::vector<TraceEvent>& events) {
  if (events.empty()) return {};
  const std::lock_guard guard(impl_->mutex);
  if (!impl_->database) return Fail("is not open", impl_->file.string());
  std::shared_ptr<Writing> begun;
  if (!*writing) {
    if (events[0].type != "begin") return Fail("does not begin with \"begin\"", "trace");
    begun = std::make_shared<Writing>();
    begun->live = impl_->live;
    begun->key = NewKey();
    begun->generation = impl_->generation;
    if (!impl_->live->Hold(begun->key)) return Fail("its key is taken", "trace", "try again");
  }
  Writing& current = begun ? *begun : **writing;
  if (current.generation != impl_->generation) {
    return Fail("its store was damaged and moved aside", current.head.id);
  }
  // The row comes after the events that it counts; foreign keys are looked at here.
  if (Status set = impl_->database->Run("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON"); !set) {
    return tl::unexpected(impl_->Explain(std::move(set).error()));
  }
  const std::uint64_t seq = current.next_seq;
  Status done = impl_->Insert(current, events);
  if (done) done = impl_->database->Run("COMMIT");
  if (!done) {
    Error error = std::move(done).error();
    const SqlTrouble trouble = impl_->database->trouble();
    (void)impl_->database->Run("ROLLBACK");
    current.next_seq = seq;
    if (trouble == SqlTrouble::kDamaged) {
      if (Status reopened = impl_->Reopen(true); reopened) error.remedy = impl_->notice;
    }
    return tl::unexpected(std::move(error));
  }
  if (begun) *writing = std::move(begun);
  return {};
}

}  // namespace ergo::reasoning
