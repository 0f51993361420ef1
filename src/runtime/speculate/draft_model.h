// Guesses from a small model, for a large one of the same vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/engine.h"
#include "runtime/sample/sampler.h"
#include "runtime/speculate/proposer.h"

namespace ergo::runtime {

/// What a draft model holds of one sequence; empty at first.
struct DraftPlace {
  SequenceId sequence = 0;
  std::vector<std::int32_t> tokens = {};  ///< whose keys and values it has
  std::optional<Sampler> sampler = {};
};

/// Speculation with a draft model (Leviathan et al. 2023). The draft draws with the sequence's own
/// seed: its noise is that of the large model's draw (sampler.h), so that the two agree as often as
/// their distributions let them, at any temperature. One thread at a time.
class DraftModel {
 public:
  explicit DraftModel(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  struct Request {
    DraftPlace* place = nullptr;
    std::span<const std::int32_t> tokens;  ///< prompt and answer so far
    const SamplingParams* sampling = nullptr;
    std::size_t most = 0;
    Proposal* proposal = nullptr;  ///< is filled; stays empty where there is no good guess
  };
  /// The guesses of all requests in common steps: the first ones take in what their places lack.
  void Propose(std::span<const Request> requests);

  /// The place of a branch of that sequence, at most its first `length` tokens.
  DraftPlace Fork(const DraftPlace& place, std::size_t length);
  /// Gives the memory of a place back.
  void Forget(DraftPlace& place);

  /// Seconds that one more guess of one sequence takes, measured; 0: not known yet.
  double seconds() const { return seconds_; }

 private:
  struct Guess {
    const Request* request;
    std::vector<std::int32_t> fed;  ///< in the present step
  };
  bool Prepare(const Request& request, std::vector<std::int32_t>& fed);

  std::unique_ptr<Engine> engine_;
  double seconds_ = 0.0;
};

}  // namespace ergo::runtime
