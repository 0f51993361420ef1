// What follows several places of a text, by majority.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ergo::runtime {

/// Some places of a text: where what is to be continued ends. The first ones weigh more.
class Places {
 public:
  explicit Places(std::size_t most) : most_(most) {}
  void Add(std::size_t place) {
    if (!full()) places_.push_back(place);
  }
  void Clear() { places_.clear(); }
  bool empty() const { return places_.empty(); }
  bool full() const { return places_.size() >= most_; }
  const std::vector<std::size_t>& all() const { return places_; }

 private:
  std::size_t most_;
  std::vector<std::size_t> places_;
};

/// The token that most of `tokens` are, the first of those that are equally many; -1 if there are
/// none. Negative ones don't count.
inline std::int32_t MostFrequent(const std::vector<std::int32_t>& tokens) {
  std::int32_t best = -1;
  std::ptrdiff_t best_count = 0;
  for (auto token = tokens.begin(); token != tokens.end(); ++token) {
    if (*token < 0 || tokens.end() - token <= best_count) continue;
    const auto count = std::count(token, tokens.end(), *token);
    if (count > best_count) {
      best_count = count;
      best = *token;
    }
  }
  return best;
}

/// Appends to `out` up to `most` tokens: each time the one that stands at most of the places, which
/// then move on by one; the other places are dropped. `at(i)` is the token at i, which may lie
/// in `out` already; negative where the text ends.
template <typename At>
void AppendMajority(const Places& places, std::size_t most, const At& at,
                    std::vector<std::int32_t>& out) {
  std::vector<std::size_t> alive = places.all();
  std::vector<std::int32_t> next;
  for (std::size_t step = 0; step < most && !alive.empty(); ++step) {
    next.clear();
    for (const std::size_t place : alive) next.push_back(at(place + step));
    const std::int32_t best = MostFrequent(next);
    if (best < 0) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < alive.size(); ++i) {
      if (next[i] == best) alive[kept++] = alive[i];
    }
    alive.resize(kept);
    out.push_back(best);
  }
}

}  // namespace ergo::runtime
