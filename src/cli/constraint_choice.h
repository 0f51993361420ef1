// Options that say what an answer must look like and how long the model may think.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "generate/session.h"

namespace ergo::cli {

struct ConstraintChoice {
  std::string json_schema;  ///< a file's name
  std::string regex;
  std::string grammar;  ///< a file's name
  std::vector<std::string> one_of;
  std::optional<std::int64_t> think_budget;
};

/// The choice must outlive the parsing.
void AddConstraintOptions(Options& options, ConstraintChoice* choice);

/// Sets what was given. Errors: two constraints at a time; those of the compilers, which name file
/// and place.
Status ApplyConstraints(const ConstraintChoice& choice, const generate::LanguageModel& model,
                        generate::AnswerOptions* options);

}  // namespace ergo::cli
