#include "runtime/speculate/suffix_lookup.h"

#include <algorithm>

#include "runtime/speculate/continuation.h"

namespace ergo::runtime {
namespace {

/// Places of the last two tokens that are looked at: bounds the time on texts that consist of
/// little else.
constexpr std::size_t kMostPlaces = 2048;
constexpr std::size_t kBlock = 16;

/// Whether `second` stands right behind `first` in one of kBlock places; p[-1] is readable.
bool AnyPair(const std::int32_t* p, std::int32_t first, std::int32_t second) {
  int hits = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    hits |= static_cast<int>(p[i] == second) & static_cast<int>(*(p + i - 1) == first);
  }
  return hits != 0;
}

/// Searches backwards for the longest match.
class Search {
 public:
  Search(std::span<const std::int32_t> tokens, const SuffixLookupOptions& options)
      : tokens_(tokens),
        options_(options),
        longest_(std::max<std::size_t>(options.min_match, 2)),
        ends_(std::max<std::size_t>(options.candidates, 1)) {}

  /// Ends of the longest matches, the last one first.
  const Places& Run();
  std::size_t matched() const { return longest_; }

 private:
  /// Looks at a place where the last two tokens stand before `end`; false when it is enough.
  bool Look(std::size_t end);
  bool EqualAt(std::size_t end, std::size_t back) const {
    return tokens_[end - 1 - back] == tokens_[tokens_.size() - 1 - back];
  }

  std::span<const std::int32_t> tokens_;
  const SuffixLookupOptions& options_;
  std::size_t longest_;  ///< nothing shorter is of interest
  Places ends_;
  std::size_t places_ = 0;
};

bool Search::Look(std::size_t end) {
  if (++places_ > kMostPlaces) return false;
  const std::size_t limit = std::min(end, std::max(options_.max_match, longest_));
  if (limit < longest_ || !EqualAt(end, longest_ - 1)) return true;
  std::size_t length = 2;
  while (length < limit && EqualAt(end, length)) ++length;
  if (length < longest_) return true;
  if (length > longest_) ends_.Clear();
  longest_ = length;
  ends_.Add(end);
  return !(ends_.full() && length >= options_.max_match);
}

const Places& Search::Run() {
  const std::size_t count = tokens_.size();
  if (count < 3) return ends_;
  const std::int32_t first = tokens_[count - 2];
  const std::int32_t second = tokens_[count - 1];
  const std::int32_t* data = tokens_.data();
  const auto look = [&](std::size_t last) {
    return data[last] != second || data[last - 1] != first || Look(last + 1);
  };
  std::size_t last = count - 1;  // of the places that are still to be searched, exclusive
  for (; last > kBlock; last -= kBlock) {
    if (!AnyPair(data + last - kBlock, first, second)) continue;
    for (std::size_t i = 1; i <= kBlock; ++i) {
      if (!look(last - i)) return ends_;
    }
  }
  for (; last > 1; --last) {
    if (!look(last - 1)) return ends_;
  }
  return ends_;
}

}  // namespace

Proposal LookUpSuffix(std::span<const std::int32_t> tokens, std::size_t most,
                      const SuffixLookupOptions& options) {
  if (most == 0) return {};
  if (tokens.size() > options.window) tokens = tokens.last(options.window);
  Search search(tokens, options);
  const Places& ends = search.Run();
  if (ends.empty()) return {};
  Proposal proposal;
  proposal.matched = search.matched();
  // A place near the end goes on into what is being proposed: a period is continued.
  const auto at = [&](std::size_t place) {
    const std::size_t count = tokens.size();
    return place < count ? tokens[place] : proposal.tokens[place - count];
  };
  AppendMajority(ends, most, at, proposal.tokens);
  return proposal;
}

}  // namespace ergo::runtime
