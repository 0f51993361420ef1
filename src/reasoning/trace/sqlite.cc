#include "reasoning/trace/sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace ergo::reasoning {
namespace {

SqlTrouble TroubleOf(int code) {
  switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return SqlTrouble::kNone;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return SqlTrouble::kDamaged;
    case SQLITE_FULL:
      return SqlTrouble::kFull;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return SqlTrouble::kBusy;
    default:
      return SqlTrouble::kOther;
  }
}

Error ErrorOf(sqlite3* handle, const std::string& file, SqlTrouble* trouble) {
  const int code = handle ? sqlite3_extended_errcode(handle) : SQLITE_NOMEM;
  *trouble = TroubleOf(code);
  Error error{handle ? sqlite3_errmsg(handle) : "out of memory", file, ""};
  switch (code & 0xFF) {
    case SQLITE_FULL:
      error.remedy = "make room on the disk, or remove old traces with `ergo trace rm`";
      break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      error.remedy = "make the folder writable, or name another one in ERGO_HOME";
      break;
    case SQLITE_BUSY:
      error.remedy = "another process is writing; try again";
      break;
    case SQLITE_IOERR:
      error.remedy = "check the disk";
      break;
    default:
      break;
  }
  return error;
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void Statement::Finalize::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }

Result<Database> Database::Open(const std::filesystem::path& file, int busy_ms) {
  Database database;
  database.state_->file = file.string();
  sqlite3* handle = nullptr;
  const int opened =
      sqlite3_open_v2(file.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.state_->handle.reset(handle);
  if (opened != SQLITE_OK) return tl::unexpected(database.Failure());
  sqlite3_busy_timeout(handle, busy_ms);
  // The file is untrusted: nothing in its schema may call functions with effects.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

Error Database::Failure() { return ErrorOf(state_->handle.get(), state_->file, &state_->trouble); }

Status Database::Run(const char* sql) {
  if (sqlite3_exec(state_->handle.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return tl::unexpected(Failure());
}

Result<Statement> Database::Prepare(const char* sql) {
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v2(state_->handle.get(), sql, -1, &handle, nullptr) != SQLITE_OK) {
    return tl::unexpected(Failure());
  }
  return Statement(state_.get(), handle);
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(state_->handle.get()); }
int Database::changed() const { return sqlite3_changes(state_->handle.get()); }

// A bind fails only for want of memory or for too long a text; Step then finds a null.
Statement& Statement::Bind(int index, std::string_view text) {
  sqlite3_bind_text64(handle_.get(), index, text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::Bind(int index, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), index, value);
  return *this;
}

Statement& Statement::Bind(int index, std::optional<double> value) {
  if (value) {
    sqlite3_bind_double(handle_.get(), index, *value);
  } else {
    sqlite3_bind_null(handle_.get(), index);
  }
  return *this;
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = ErrorOf(state_->handle.get(), state_->file, &state_->trouble);
  sqlite3_reset(handle_.get());
  return tl::unexpected(std::move(error));
}

Status Statement::Finish() {
  for (;;) {
    const Result<bool> row = Step();
    if (!row) return tl::unexpected(row.error());
    if (*row) continue;
    sqlite3_reset(handle_.get());
    return {};
  }
}

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  const int bytes = sqlite3_column_bytes(handle_.get(), column);
  return text && bytes > 0 ? std::string(text, static_cast<std::size_t>(bytes)) : std::string();
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::optional<double> Statement::Real(int column) const {
  if (sqlite3_column_type(handle_.get(), column) == SQLITE_NULL) return {};
  return sqlite3_column_double(handle_.get(), column);
}

}  // namespace ergo::reasoning
