#include "reasoning/trace/store_schema.h"

#include <cstddef>
#include <iterator>

namespace ergo::reasoning {
namespace {

/// kSteps[v] takes the tables from user_version v to v + 1.
constexpr const char* kSteps[] = {
    R"sql(
CREATE TABLE trace (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  status TEXT NOT NULL,
  confidence REAL,
  strategy TEXT NOT NULL,
  model TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  events INTEGER NOT NULL,
  bytes INTEGER NOT NULL
);
CREATE INDEX trace_by_owner ON trace (owner, created_ms);
CREATE INDEX trace_by_time ON trace (created_ms);
CREATE TABLE event (
  trace INTEGER NOT NULL REFERENCES trace (key) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  t_ms REAL NOT NULL,
  type TEXT NOT NULL,
  patch TEXT NOT NULL,
  PRIMARY KEY (trace, seq)
);
)sql",
};

Result<std::int64_t> Version(Database& database) {
  auto read = database.Prepare("PRAGMA user_version");
  if (!read) return tl::unexpected(read.error());
  const auto row = read->Step();
  if (!row) return tl::unexpected(row.error());
  return read->Integer(0);
}

Status MigrateInside(Database& database, const std::string& file) {
  const auto version = Version(database);
  if (!version) return tl::unexpected(version.error());
  const auto known = static_cast<std::int64_t>(std::size(kSteps));
  if (*version > known || *version < 0) {
    return Fail("was written by a newer version of the program", file, "use that version");
  }
  for (std::int64_t step = *version; step < known; ++step) {
    if (Status done = database.Run(kSteps[step]); !done) return done;
    const std::string set = "PRAGMA user_version = " + std::to_string(step + 1);
    if (Status done = database.Run(set.c_str()); !done) return done;
  }
  return {};
}

}  // namespace

Status MigrateStore(Database& database, const std::string& file) {
  // auto_vacuum before the first table, or it does nothing. With WAL, NORMAL loses the last commits
  // when the power fails, but none to a kill, and damages nothing.
  if (Status set = database.Run("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
                                "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                                "PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON;");
      !set) {
    return set;
  }
  if (Status begun = database.Run("BEGIN IMMEDIATE"); !begun) return begun;
  Status migrated = MigrateInside(database, file);
  if (!migrated) {
    Error error = std::move(migrated).error();
    (void)database.Run("ROLLBACK");
    return tl::unexpected(std::move(error));
  }
  return database.Run("COMMIT");
}

}  // namespace ergo::reasoning
