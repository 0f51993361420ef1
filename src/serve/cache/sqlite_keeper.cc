#include "serve/cache/sqlite_keeper.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "reasoning/trace/sqlite.h"

namespace ergo::serve {
namespace {

using reasoning::Database;
using reasoning::SqlTrouble;
using reasoning::Statement;

/// What others do in the file takes no longer.
constexpr int kBusyMs = 10;
/// So much is made room for at a time, so that not every new answer has to.
constexpr std::uint64_t kSlack = 16;

std::int64_t Now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class SqliteKeeper final : public Keeper {
 public:
  explicit SqliteKeeper(SqliteCacheOptions options) : options_(std::move(options)) {}

  Status Open(Clock::time_point deadline) override;
  Result<std::optional<std::string>> Find(std::string_view key,
                                          Clock::time_point deadline) override;
  Status Put(std::string_view key, std::string_view answer, Clock::time_point deadline) override;

 private:
  struct Statements {
    Database database;
    Statement find;
    Statement touch;
    Statement put;
    Statement sum;
    Statement end;
    Statement evict;
  };
  Status OpenFile();
  Status Prepare(Database database);
  Status MakeRoom();
  tl::unexpected<Error> Lose(Error error);

  const SqliteCacheOptions options_;
  std::unique_ptr<Statements> open_;
  std::uint64_t written_ = 0;  ///< bytes since room was made
};

Status SqliteKeeper::Open(Clock::time_point) {
  if (const Status opened = OpenFile(); opened) return {};
  // Once more: a damaged file is gone now.
  return OpenFile();
}

Status SqliteKeeper::OpenFile() {
  open_.reset();
  const mode_t others = ::umask(0077);
  Result<Database> database = Database::Open(options_.file, kBusyMs);
  ::umask(others);
  if (!database) return tl::unexpected(database.error());
  const Status made = database->Run(
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = OFF;"  // a lost answer is computed again
      "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL,"
      " bytes INTEGER NOT NULL, ends INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;"
      "CREATE INDEX IF NOT EXISTS answers_used ON answers (used);");
  if (!made) {
    if (database->trouble() == SqlTrouble::kDamaged) {
      std::error_code ignored;
      for (const char* end : {"", "-wal", "-shm"}) {
        std::filesystem::remove(options_.file.string() + end, ignored);
      }
    }
    return made;
  }
  return Prepare(*std::move(database));
}

Status SqliteKeeper::Prepare(Database database) {
  const char* const kSql[] = {
      "SELECT answer FROM answers WHERE key = ?1 AND ends > ?2",
      "UPDATE answers SET used = ?2 WHERE key = ?1",
      "INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, ?5)",
      "SELECT coalesce(sum(bytes), 0) FROM answers",
      "DELETE FROM answers WHERE ends <= ?1",
      "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used LIMIT"
      " max(1, (SELECT count(*) FROM answers) / 8))",
  };
  std::vector<Statement> ready;
  for (const char* sql : kSql) {
    Result<Statement> statement = database.Prepare(sql);
    if (!statement) return tl::unexpected(statement.error());
    ready.push_back(*std::move(statement));
  }
  open_ = std::make_unique<Statements>(
      Statements{std::move(database), std::move(ready[0]), std::move(ready[1]), std::move(ready[2]),
                 std::move(ready[3]), std::move(ready[4]), std::move(ready[5])});
  return MakeRoom();
}

tl::unexpected<Error> SqliteKeeper::Lose(Error error) {
  open_.reset();
  return tl::unexpected(std::move(error));
}

Result<std::optional<std::string>> SqliteKeeper::Find(std::string_view key, Clock::time_point) {
  if (open_ == nullptr) return Fail("not open", options_.file.string());
  const std::int64_t now = Now();
  const Result<bool> row = open_->find.Bind(1, key).Bind(2, now).Step();
  if (!row) return Lose(row.error());
  if (!*row) {
    (void)open_->find.Finish();
    return std::optional<std::string>();
  }
  std::string answer = open_->find.Text(0);
  (void)open_->find.Finish();
  // That somebody else writes just now only makes it look older than it is.
  (void)open_->touch.Bind(1, key).Bind(2, now).Finish();
  return std::optional(std::move(answer));
}

Status SqliteKeeper::Put(std::string_view key, std::string_view answer, Clock::time_point) {
  if (open_ == nullptr) return Fail("not open", options_.file.string());
  const std::int64_t now = Now();
  const auto bytes = static_cast<std::int64_t>(key.size() + answer.size());
  const auto life = std::chrono::duration_cast<std::chrono::milliseconds>(options_.time_to_live);
  const Status put = open_->put.Bind(1, key)
                         .Bind(2, answer)
                         .Bind(3, bytes)
                         .Bind(4, now + life.count())
                         .Bind(5, now)
                         .Finish();
  if (!put && open_->database.trouble() == SqlTrouble::kBusy) return {};  // another time
  if (!put) return Lose(put.error());
  written_ += static_cast<std::uint64_t>(bytes);
  return written_ * kSlack > options_.most_bytes ? MakeRoom() : Status();
}

Status SqliteKeeper::MakeRoom() {
  written_ = 0;
  if (const Status ended = open_->end.Bind(1, Now()).Finish(); !ended) return {};
  for (;;) {
    const Result<bool> row = open_->sum.Step();
    if (!row) return Lose(row.error());
    const auto bytes = static_cast<std::uint64_t>(open_->sum.Integer(0));
    (void)open_->sum.Finish();
    if (bytes <= options_.most_bytes - options_.most_bytes / kSlack) return {};
    if (const Status evicted = open_->evict.Finish(); !evicted) return {};
  }
}

}  // namespace

std::unique_ptr<Keeper> MakeSqliteKeeper(SqliteCacheOptions options) {
  return std::make_unique<SqliteKeeper>(std::move(options));
}

}  // namespace ergo::serve
