// Whole derivations of an answer, their checks, and votes among them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reasoning/stage/work.h"
#include "reasoning/verify/check.h"

namespace ergo::reasoning {

enum class DerivationKind {
  kChain,    ///< steps in words
  kProgram,  ///< a program whose run gave the value
  kFormal,   ///< by a solver, from a question that was parsed
};

/// One way to an answer.
struct Derivation {
  DerivationKind kind = DerivationKind::kChain;
  std::string text;
  std::string value;          ///< empty: it came to no answer
  double mean_logprob = 0.0;  ///< of its tokens
  std::size_t tokens = 0;
  bool finished = true;  ///< it ended by itself
  std::vector<Finding> findings = {};
  std::size_t missing = 0;   ///< numbers of the question that it does not use
  bool odd = false;          ///< a value that the question can hardly ask for
  std::string failure = {};  ///< why there is no value
  std::string node = {};     ///< its last one in the trace
  BranchPtr branch = {};

  bool refuted() const;  ///< an exact check found an error in it
  /// Exact checks confirmed something in it and refuted nothing.
  bool confirmed() const;
};

struct ChainOptions {
  std::size_t count = 1;
  float temperature = 0.0f;
  std::size_t max_tokens = 512;  ///< of each
  /// Puts the exact value after "=" wherever the expression before it is understood.
  bool exact_values = false;
};

/// A question's context and text.
std::string PlainQuestion(const Question& question);
/// The same, and what its counting words come to ("3 dozen = 36").
std::string WholeQuestion(const Question& question);

/// The prompt for chains of steps on the work's question.
Result<Prompt> ChainPrompt(const Work& work);

/// Draws chains in one batch, checks their steps and writes both to the trace. Fewer than asked for
/// where the budget ends; an error only if there is none at all.
Result<std::vector<Derivation>> DrawChains(Work& work, const ChainOptions& options);

/// Draws programs in one batch and runs them in the sandbox. An error if none can be drawn or
/// nothing can be run here.
Result<std::vector<Derivation>> DrawPrograms(Work& work, std::size_t count, float temperature);

/// Fills in what a derivation makes of the numbers that the question gives.
void NoteGivens(const Work& work, Derivation* derivation);

/// Checks a text by every check that applies, in threads of their own.
std::vector<Finding> CheckText(const Work& work, std::string_view text);

/// Derivations with the same value.
struct Candidate {
  std::string value;
  double mass = 0.0;                    ///< sum of its supporters' weights
  double weight = 0.0;                  ///< share of the mass of all candidates
  std::vector<std::size_t> supporters;  ///< indices, the most trusted one first
};

/// Candidates, heaviest first. `weighted` counts a derivation for what its checks say; otherwise
/// each counts 1. Those without a value count nowhere.
std::vector<Candidate> Vote(const std::vector<Derivation>& derivations, AnswerKind kind,
                            bool weighted);

/// The answer of the heaviest candidate, with its node in the trace. Without any it is the last
/// derivation's text, or says that nothing was found: never empty.
Answer Conclude(Work& work, const std::vector<Derivation>& derivations,
                const std::vector<Candidate>& candidates);

}  // namespace ergo::reasoning
