// The tables of traces.db and how they came to be.
#pragma once

#include "base/result.h"
#include "reasoning/trace/sqlite.h"

namespace ergo::reasoning {

/// Brings the tables to this program's version; `file` is for errors. Error: it is newer.
Status MigrateStore(Database& database, const std::string& file);

}  // namespace ergo::reasoning
