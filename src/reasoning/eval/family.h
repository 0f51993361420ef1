// Families of questions whose answers can be told right from wrong exactly.
//
// A family either reads a public file of questions or makes its own from a seed. What is expected
// stays in the Item; a strategy is given Item::question alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/strategies/strategy.h"

namespace ergo::reasoning::eval {

enum class Judgement {
  kRight,
  kWrong,
  kNone,  ///< there is no answer to judge
};
/// "right", "wrong" or "none".
std::string_view Name(Judgement judgement);

/// What running a program came to.
struct ProgramRun {
  bool succeeded = false;  ///< it ended by itself, in time, with status 0
  std::string output;      ///< what it printed
};
/// Runs a Python program where it can do no harm. Error: it could not be run at all.
using RunPython = std::function<Result<ProgramRun>(const std::string& program)>;

/// Any thread. Errors are of what judging needs (a sandbox that refuses), never of the answer.
using Judge = std::function<Result<Judgement>(const Answer&)>;

struct Item {
  std::string id;  ///< unique within the family and stable: names family, options and seed
  Question question;
  std::string expected;  ///< one right answer, for a person who reads the results
  Judge judge;
};

/// Which questions of a family.
struct Selection {
  std::string file;                  ///< of a family that reads one
  std::vector<std::string> options;  ///< what follows its name: "chains:20:story" gives 20, story
  std::uint64_t seed = 0;            ///< of a family that makes its own
  std::size_t count = 100;           ///< at most; a file may hold fewer
  RunPython run_python = {};         ///< for answers that are programs
};

struct Family {
  std::string_view name;
  std::string_view summary;  ///< one line for a person
  std::string_view options;  ///< what may follow its name, for the help; empty: nothing
  bool from_file;
  /// Errors name the file and line, or the option, that is wrong.
  Result<std::vector<Item>> (*load)(const Selection& selection);
};

/// Sorted by name; the list is in families.cc.
std::span<const Family> Families();

/// A family and its options as a person writes them: "gsm8k", "chains:20:story". The name may be
/// cut short as long as it means one family: "knights".
struct FamilyChoice {
  const Family* family = nullptr;
  std::vector<std::string> options;
  std::string name;  ///< in full, options included
};
/// Errors: no such family, with the nearest names.
Result<FamilyChoice> ParseFamily(std::string_view written);

}  // namespace ergo::reasoning::eval
