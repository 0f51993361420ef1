// A little of SQLite as values: a connection, statements, errors as Status.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ergo::reasoning {

/// What a failed call was about.
enum class SqlTrouble { kNone, kDamaged, kFull, kBusy, kOther };

class Statement;

/// One connection. Not for several threads at a time.
class Database {
 public:
  /// Opens or creates the file. Errors name the file and what to do.
  static Result<Database> Open(const std::filesystem::path& file, int busy_ms);

  /// Runs statements without results.
  Status Run(const char* sql);
  /// `sql` is one statement; it must not outlive the database.
  Result<Statement> Prepare(const char* sql);
  std::int64_t last_row() const;
  /// Rows that the last statement changed.
  int changed() const;
  /// Why the last failed call failed.
  SqlTrouble trouble() const { return state_->trouble; }
  Error Failure();

 private:
  friend class Statement;
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  struct State {
    std::unique_ptr<sqlite3, Close> handle;
    std::string file;
    SqlTrouble trouble = SqlTrouble::kNone;
  };
  Database() : state_(std::make_unique<State>()) {}

  std::unique_ptr<State> state_;  // Statements point to it, wherever the database moves.
};

class Statement {
 public:
  Statement& Bind(int index, std::string_view text);  ///< copies; parameters count from 1
  Statement& Bind(int index, std::int64_t value);
  Statement& Bind(int index, std::optional<double> value);
  /// True: a row is there. False: done.
  Result<bool> Step();
  /// To its end, and ready to be bound again.
  Status Finish();

  std::string Text(int column) const;  ///< columns count from 0
  std::int64_t Integer(int column) const;
  std::optional<double> Real(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const;
  };
  Statement(Database::State* state, sqlite3_stmt* handle) : state_(state), handle_(handle) {}

  Database::State* state_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

}  // namespace ergo::reasoning
