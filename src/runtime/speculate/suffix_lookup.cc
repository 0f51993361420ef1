#include "runtime/speculate/suffix_lookup.h"

#include <algorithm>
#include <cstring>

#include "runtime/speculate/continuation.h"

namespace ergo::runtime {
namespace {

/// Places that are looked at closely: bounds the time on texts that consist of few tokens.
constexpr std::size_t kMostPlaces = 512;
constexpr std::size_t kBlock = 16;

using Lanes = std::int32_t __attribute__((vector_size(16)));
constexpr std::size_t kLanes = sizeof(Lanes) / sizeof(std::int32_t);

Lanes Load(const std::int32_t* p) {
  Lanes lanes;
  std::memcpy(&lanes, p, sizeof(lanes));
  return lanes;
}

/// What has to stand in a place: the last token, the one before it, and the one `back` before it.
struct Wanted {
  std::int32_t last;
  std::int32_t before;
  std::int32_t far;
  std::size_t back;
};

/// Whether it stands in one of kBlock places from p on.
bool AnyPlace(const std::int32_t* p, const Wanted& wanted) {
  const Lanes last = wanted.last - Lanes{};
  const Lanes before = wanted.before - Lanes{};
  const Lanes far = wanted.far - Lanes{};
  Lanes any = {};
  for (std::size_t i = 0; i < kBlock; i += kLanes) {
    any |= (Load(p + i) == last) & (Load(p + i - 1) == before) & (Load(p + i - wanted.back) == far);
  }
  std::uint64_t halves[2];
  std::memcpy(halves, &any, sizeof(any));
  return (halves[0] | halves[1]) != 0;
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
  if (count <= longest_) return ends_;
  const std::int32_t* data = tokens_.data();
  // A match of at least `longest_` tokens is wanted, which grows as better ones are found.
  std::size_t back = longest_ - 1;
  const auto wanted = [&] {
    back = longest_ - 1;
    return Wanted{data[count - 1], data[count - 2], data[count - 1 - back], back};
  };
  Wanted want = wanted();
  std::size_t place = count - 1;  // the last token's places from here on are done
  for (; place >= kBlock + back; place -= kBlock) {
    if (!AnyPlace(data + place - kBlock, want)) continue;
    for (std::size_t i = 1; i <= kBlock; ++i) {
      const std::size_t at = place - i;
      if (data[at] == want.last && data[at - 1] == want.before && !Look(at + 1)) return ends_;
    }
    if (longest_ - 1 != back) want = wanted();
  }
  for (; place > 1; --place) {
    const std::size_t at = place - 1;
    if (data[at] == want.last && data[at - 1] == want.before && !Look(at + 1)) return ends_;
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
