// What earlier sequences wrote, for guesses where a sequence does not repeat itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/speculate/proposer.h"

namespace ergo::runtime {

struct OutputIndexOptions {
  std::size_t tokens = std::size_t{1} << 18;  ///< most that one name space remembers; 2^10 to 2^28
  std::size_t name_spaces = 32;               ///< most of them; the one unused for longest goes
  std::size_t min_match = 4;                  ///< tokens that a match has at least; 2 to 16
  std::size_t max_match = 32;                 ///< longer matches count as equally long
  std::size_t candidates = 16;                ///< places that a look-up compares
};

/// The latest outputs of each name space, in a ring: 16 bytes for a token. Places are found by a
/// hash of min_match tokens and chained from the last one back; what is found is compared token by
/// token, so a collision costs time and nothing else. One thread at a time.
class OutputIndex {
 public:
  /// Options out of range are moved into it.
  explicit OutputIndex(const OutputIndexOptions& options = {});
  ~OutputIndex();
  OutputIndex(OutputIndex&&) noexcept;
  OutputIndex& operator=(OutputIndex&&) noexcept;

  /// Remembers the tokens of a sequence (its output, or some of its prompt before it) and forgets
  /// the oldest ones for that.
  void Add(std::string_view name_space, std::span<const std::int32_t> tokens);

  /// What followed the longest match with the end of `tokens` among the latest candidates; of
  /// equally long ones by majority. Never goes on beyond the end of what was added in one call.
  Proposal Propose(std::string_view name_space, std::span<const std::int32_t> tokens,
                   std::size_t most) const;

  /// Forgets a name space.
  void Drop(std::string_view name_space);
  std::size_t bytes() const;

 private:
  class Log;
  struct Space {
    std::unique_ptr<Log> log;
    std::uint64_t used = 0;  ///< tick of the last Add
  };

  OutputIndexOptions options_;
  std::map<std::string, Space, std::less<>> spaces_;
  std::uint64_t tick_ = 0;
};

}  // namespace ergo::runtime
