#include "runtime/speculate/output_index.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "runtime/speculate/continuation.h"

namespace ergo::runtime {
namespace {

constexpr std::int32_t kBoundary = -1;  ///< between two outputs; no token is negative
constexpr std::size_t kSmallest = 1024;
constexpr std::size_t kTriesPerCandidate = 4;  ///< others have the same hash by chance

std::uint64_t Hash(const std::int32_t* tokens, std::size_t count) {
  std::uint64_t hash = 0x9E3779B97F4A7C15;
  for (std::size_t i = 0; i < count; ++i) {
    hash = (hash ^ static_cast<std::uint32_t>(tokens[i])) * 0xD6E8FEB86659FD93;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace

/// A ring of tokens. Places are counted from the first token ever written; place p lies in cell
/// p modulo the size of the ring.
class OutputIndex::Log {
 public:
  explicit Log(const OutputIndexOptions& options) : options_(options) { Resize(kSmallest); }

  void Add(std::span<const std::int32_t> tokens);
  Proposal Propose(std::span<const std::int32_t> tokens, std::size_t most) const;
  std::size_t bytes() const {
    return cells_.capacity() * sizeof(Cell) + heads_.capacity() * sizeof(std::uint32_t);
  }

 private:
  struct Cell {
    std::int32_t token;
    /// The place, at most 2^32 - 1 of them, before which the same hash occurred last; 0: none.
    std::uint32_t earlier;
  };

  void Resize(std::size_t cells);
  void Write(std::int32_t token);
  void Chain();
  bool Holds(std::size_t place) const { return place < end_ && end_ - place <= cells_.size(); }
  std::int32_t At(std::size_t place) const {
    return Holds(place) ? cells_[place & (cells_.size() - 1)].token : kBoundary;
  }
  std::uint32_t& Head(const std::int32_t* gram) {
    return heads_[Hash(gram, options_.min_match) & (heads_.size() - 1)];
  }
  /// Length of the common end of `tokens` and of what stands before `place`.
  std::size_t Common(std::span<const std::int32_t> tokens, std::size_t place) const;

  const OutputIndexOptions options_;
  std::vector<Cell> cells_;  ///< a power of two of them
  std::vector<std::uint32_t>
      heads_;                       ///< for each hash the place behind its last occurrence; 0: none
  std::vector<std::int32_t> gram_;  ///< the last tokens written, since the last boundary
  std::size_t end_ = 0;             ///< the place behind the last token
};

void OutputIndex::Log::Resize(std::size_t cells) {
  const std::vector<Cell> old = std::exchange(cells_, std::vector<Cell>(cells));
  heads_.assign(2 * cells, 0);
  const std::size_t size = std::min(end_, old.size());
  std::size_t place = end_ - size;
  end_ = 0;
  gram_.clear();
  for (std::size_t i = 0; i < size; ++i, ++place) Write(old[place & (old.size() - 1)].token);
}

void OutputIndex::Log::Write(std::int32_t token) {
  cells_[end_ & (cells_.size() - 1)] = {token, 0};
  ++end_;
  if (token == kBoundary) {
    gram_.clear();
    return;
  }
  if (gram_.size() == options_.min_match) gram_.erase(gram_.begin());
  gram_.push_back(token);
  if (gram_.size() < options_.min_match) return;
  std::uint32_t& head = Head(gram_.data());
  cells_[(end_ - 1) & (cells_.size() - 1)].earlier = head;
  head = static_cast<std::uint32_t>(end_);
}

void OutputIndex::Log::Add(std::span<const std::int32_t> tokens) {
  const std::size_t most = options_.tokens - 1;
  if (tokens.size() > most) tokens = tokens.last(most);
  std::size_t wanted = cells_.size();
  while (wanted < options_.tokens && end_ + tokens.size() + 1 > wanted) wanted *= 2;
  if (wanted != cells_.size()) Resize(wanted);
  // Places are kept in 32 bits: start afresh, with what the ring holds, long before they overflow.
  if (end_ > (std::size_t{1} << 31)) Resize(cells_.size());
  for (const std::int32_t token : tokens) Write(std::max(token, kBoundary));
  Write(kBoundary);
}

std::size_t OutputIndex::Log::Common(std::span<const std::int32_t> tokens,
                                     std::size_t place) const {
  const std::size_t limit = std::min({tokens.size(), place, options_.max_match});
  std::size_t length = 0;
  while (length < limit && tokens[tokens.size() - 1 - length] >= 0 &&
         At(place - 1 - length) == tokens[tokens.size() - 1 - length]) {
    ++length;
  }
  return length;
}

Proposal OutputIndex::Log::Propose(std::span<const std::int32_t> tokens, std::size_t most) const {
  const std::size_t gram = options_.min_match;
  if (tokens.size() < gram || most == 0) return {};
  std::size_t place = heads_[Hash(tokens.last(gram).data(), gram) & (heads_.size() - 1)];
  Proposal proposal;
  Places longest(options_.candidates);
  std::size_t found = 0;
  const std::size_t tries = kTriesPerCandidate * options_.candidates;
  for (std::size_t i = 0; i < tries && place > 0 && Holds(place - 1); ++i) {
    const std::size_t length = Common(tokens, place);
    // The end of an output has nothing to offer.
    if (length >= gram && length >= proposal.matched && At(place) != kBoundary) {
      if (length > proposal.matched) longest.Clear();
      proposal.matched = length;
      longest.Add(place);
    }
    if (length >= gram && ++found == options_.candidates) break;
    const std::size_t earlier = cells_[(place - 1) & (cells_.size() - 1)].earlier;
    if (earlier >= place) break;
    place = earlier;
  }
  AppendMajority(
      longest, most, [&](std::size_t at) { return At(at); }, proposal.tokens);
  return proposal;
}

OutputIndex::OutputIndex(const OutputIndexOptions& options) : options_(options) {
  options_.tokens = std::bit_floor(std::clamp(options.tokens, kSmallest, std::size_t{1} << 28));
  options_.name_spaces = std::max<std::size_t>(options.name_spaces, 1);
  options_.min_match = std::clamp<std::size_t>(options.min_match, 2, 16);
  options_.max_match = std::max(options.max_match, options_.min_match);
  options_.candidates = std::max<std::size_t>(options.candidates, 1);
}

OutputIndex::~OutputIndex() = default;
OutputIndex::OutputIndex(OutputIndex&&) noexcept = default;
OutputIndex& OutputIndex::operator=(OutputIndex&&) noexcept = default;

void OutputIndex::Add(std::string_view name_space, std::span<const std::int32_t> tokens) {
  if (tokens.size() <= options_.min_match) return;
  auto found = spaces_.find(name_space);
  if (found == spaces_.end()) {
    if (spaces_.size() >= options_.name_spaces) {
      spaces_.erase(std::min_element(
          spaces_.begin(), spaces_.end(),
          [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
    found = spaces_.emplace(name_space, Space{std::make_unique<Log>(options_), 0}).first;
  }
  found->second.used = ++tick_;
  found->second.log->Add(tokens);
}

Proposal OutputIndex::Propose(std::string_view name_space, std::span<const std::int32_t> tokens,
                              std::size_t most) const {
  const auto found = spaces_.find(name_space);
  return found == spaces_.end() ? Proposal{} : found->second.log->Propose(tokens, most);
}

void OutputIndex::Drop(std::string_view name_space) {
  if (const auto found = spaces_.find(name_space); found != spaces_.end()) spaces_.erase(found);
}

std::size_t OutputIndex::bytes() const {
  std::size_t bytes = 0;
  for (const auto& [name, space] : spaces_) bytes += space.log->bytes();
  return bytes;
}

}  // namespace ergo::runtime
