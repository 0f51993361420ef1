// Python programs that run the Python of a step and say how it went.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ergo::reasoning {

/// Runs `code` (after `prelude`, whose output is dropped) and counts the assertions that were
/// reached and held.
std::string CheckingDriver(std::string_view code, std::string_view prelude);

/// Runs `code` and finds its answer: the variable `answer`, what `solution()` or `main()` returns,
/// the last line that it printed, or the value of the expression that it ends with.
std::string AnsweringDriver(std::string_view code);

/// What a driver reports behind the program's own output; `fields` is empty if it could not, as
/// when the program left by os._exit.
struct DriverReport {
  std::string out;  ///< the program's own output
  std::vector<std::string> fields;
};
DriverReport SplitReport(std::string_view out);

}  // namespace ergo::reasoning
