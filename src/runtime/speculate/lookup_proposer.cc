#include "runtime/speculate/lookup_proposer.h"

#include <utility>

namespace ergo::runtime {

LookupProposer::LookupProposer(const OutputIndex* earlier, std::string name_space,
                               const SuffixLookupOptions& options)
    : earlier_(earlier), name_space_(std::move(name_space)), options_(options) {}

Proposal LookupProposer::Propose(std::span<const std::int32_t> tokens, std::size_t most) {
  Proposal own = LookUpSuffix(tokens, most, options_);
  if (earlier_ == nullptr || own.matched >= kGoodMatch) return own;
  Proposal other = earlier_->Propose(name_space_, tokens, most);
  return other.matched > own.matched ? other : own;
}

std::unique_ptr<Proposer> LookupProposer::Fork() const {
  return std::make_unique<LookupProposer>(*this);
}

}  // namespace ergo::runtime
