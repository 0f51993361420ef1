// Guesses of the next tokens of a sequence, for lossless speculation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ergo::runtime {

/// Tokens that may come next, the first one first.
struct Proposal {
  std::vector<std::int32_t> tokens = {};
  /// Tokens of the context that the guess rests on, for lookups: the more, the surer it is. 0 where
  /// the proposer knows nothing of the kind.
  std::size_t matched = 0;
};

/// Makes proposals for one sequence. The scheduler computes the last token and the proposed ones in
/// one step, draws a token from each row exactly as it would without them, keeps the beginning on
/// which the draws and the proposal agree (and the first draw after it) and truncates the rest: so
/// a proposal changes the speed of a sequence, never its tokens.
///
/// lookup_proposer.h searches texts; draft_model.h, which proposes for all sequences of a step
/// together, stands beside this interface. Heads for several next tokens would be given the last
/// hidden row by whoever runs the step, before Propose. One thread at a time.
class Proposer {
 public:
  Proposer() = default;
  virtual ~Proposer() = default;
  Proposer& operator=(const Proposer&) = delete;

  /// At most `most` tokens that may follow `tokens`, which is the prompt and the answer so far;
  /// empty if there is no good guess. Calls need not follow each other: tokens that an earlier call
  /// saw may be gone.
  virtual Proposal Propose(std::span<const std::int32_t> tokens, std::size_t most) = 0;

  /// For a branch of the sequence.
  virtual std::unique_ptr<Proposer> Fork() const = 0;

 protected:
  Proposer(const Proposer&) = default;  ///< for Fork
};

}  // namespace ergo::runtime
