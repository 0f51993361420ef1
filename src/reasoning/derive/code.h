// Programs that are themselves the answer, run on the examples that the question gives.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/derive/derivation.h"

namespace ergo::reasoning {

/// A call and what it is to give, as in a docstring: ">>> f(1)" and the line below it.
struct CodeExample {
  std::string call;
  std::string result;
};
/// Examples in Python's interactive form that stand in a question; at most 16.
std::vector<CodeExample> ExamplesIn(std::string_view question);

/// Draws programs in one batch and runs each on the question's examples in the sandbox. One that
/// fails an example is refuted exactly; one that passes them all is supported, no more.
Result<std::vector<Derivation>> DrawCode(Work& work, std::size_t count, float temperature);

}  // namespace ergo::reasoning
