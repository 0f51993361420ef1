// Guesses from texts: the sequence's own first, then earlier outputs.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "runtime/speculate/output_index.h"
#include "runtime/speculate/proposer.h"
#include "runtime/speculate/suffix_lookup.h"

namespace ergo::runtime {

/// Without state of its own; a fork is a copy.
class LookupProposer final : public Proposer {
 public:
  /// A match of so many tokens is good enough not to look elsewhere.
  static constexpr std::size_t kGoodMatch = 8;

  /// `earlier` may be nullptr; else it must outlive the proposer and its forks, and is read on
  /// their thread.
  explicit LookupProposer(const OutputIndex* earlier = nullptr, std::string name_space = {},
                          const SuffixLookupOptions& options = {});

  /// From the sequence itself, unless earlier outputs have a longer match (they are asked only
  /// where its own is short) or it has none.
  Proposal Propose(std::span<const std::int32_t> tokens, std::size_t most) override;
  std::unique_ptr<Proposer> Fork() const override;

 private:
  const OutputIndex* earlier_;
  std::string name_space_;
  SuffixLookupOptions options_;
};

}  // namespace ergo::runtime
