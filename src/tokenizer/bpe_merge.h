// The merging loop of byte-pair encoding, for every way to find merges.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace ergo::tokenizer {

/// A part of a word that is one token. An id below zero is the complement of one that never merges.
struct Symbol {
  TokenId id;
  std::uint32_t begin;  ///< where it starts in the word; it ends where the next one starts
};

/// What two neighbours become. Lower order goes first; among equal ones the leftmost.
struct Merge {
  static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t order = kNone;
  TokenId id = -1;
};

struct MergeScratch {
  struct Candidate {
    std::uint64_t order;
    TokenId id;
    std::uint32_t at;
  };
  struct Link {
    Symbol symbol;
    std::uint32_t end;
    std::int32_t previous;
    std::int32_t next;
  };
  std::vector<Symbol> symbols;
  std::vector<Merge> merges;
  std::vector<Link> links;
  std::vector<Candidate> heap;
};

/// Words of up to this many symbols are merged by looking through all of them again and again,
/// which beats a heap there.
inline constexpr std::size_t kFewSymbols = 40;

/// Merges scratch->symbols in place until no pair merges. `find(left, right, end)` gives the Merge
/// of two neighbours, of which the right one ends at byte `end` of the word. O(n log n) for n
/// symbols.
template <typename FindMerge>
void MergeFew(const FindMerge& find, std::uint32_t word_end, MergeScratch* scratch) {
  auto& symbols = scratch->symbols;
  auto& merges = scratch->merges;
  std::size_t n = symbols.size();
  const auto end_of = [&](std::size_t i) { return i + 1 < n ? symbols[i + 1].begin : word_end; };
  merges.resize(n);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    merges[i] = find(symbols[i], symbols[i + 1], end_of(i + 1));
  }
  while (n > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < n; ++i) {
      if (merges[i].order < merges[best].order) best = i;
    }
    if (merges[best].order == Merge::kNone) break;
    symbols[best].id = merges[best].id;
    for (std::size_t i = best + 1; i + 1 < n; ++i) {
      symbols[i] = symbols[i + 1];
      merges[i] = merges[i + 1];
    }
    --n;
    if (best > 0) merges[best - 1] = find(symbols[best - 1], symbols[best], end_of(best));
    if (best + 1 < n) merges[best] = find(symbols[best], symbols[best + 1], end_of(best + 1));
  }
  symbols.resize(n);
}

/// As MergeFew, with a heap and a list.
template <typename FindMerge>
void MergeMany(const FindMerge& find, std::uint32_t word_end, MergeScratch* scratch) {
  using Candidate = MergeScratch::Candidate;
  using Link = MergeScratch::Link;
  auto& symbols = scratch->symbols;
  auto& links = scratch->links;
  auto& heap = scratch->heap;
  const auto later = [](const Candidate& a, const Candidate& b) {
    return a.order != b.order ? a.order > b.order : a.at > b.at;
  };
  const auto n = static_cast<std::int32_t>(symbols.size());
  links.clear();
  heap.clear();
  for (std::int32_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::uint32_t end = i + 1 < n ? symbols[at + 1].begin : word_end;
    links.push_back({symbols[at], end, i - 1, i + 1 < n ? i + 1 : -1});
  }
  const auto offer = [&](std::int32_t left, bool push) {
    const Link& a = links[static_cast<std::size_t>(left)];
    if (a.next < 0) return;
    const Link& b = links[static_cast<std::size_t>(a.next)];
    const Merge merge = find(a.symbol, b.symbol, b.end);
    if (merge.order == Merge::kNone) return;
    heap.push_back({merge.order, merge.id, static_cast<std::uint32_t>(left)});
    if (push) std::push_heap(heap.begin(), heap.end(), later);
  };
  for (std::int32_t i = 0; i < n; ++i) offer(i, false);
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const Candidate top = heap.back();
    heap.pop_back();
    Link& left = links[top.at];
    if (left.end == left.symbol.begin || left.next < 0) continue;
    Link& right = links[static_cast<std::size_t>(left.next)];
    // An outdated candidate: the pair at this place is another by now.
    const Merge merge = find(left.symbol, right.symbol, right.end);
    if (merge.order != top.order || merge.id != top.id) continue;
    left.symbol.id = top.id;
    left.end = right.end;
    right.end = right.symbol.begin;  // gone
    left.next = right.next;
    if (left.next >= 0) {
      links[static_cast<std::size_t>(left.next)].previous = static_cast<std::int32_t>(top.at);
    }
    if (left.previous >= 0) offer(left.previous, true);
    offer(static_cast<std::int32_t>(top.at), true);
  }
  symbols.clear();
  for (std::int32_t i = 0; i >= 0; i = links[static_cast<std::size_t>(i)].next) {
    symbols.push_back(links[static_cast<std::size_t>(i)].symbol);
  }
}

template <typename FindMerge>
void MergeSymbols(const FindMerge& find, std::uint32_t word_end, MergeScratch* scratch) {
  const std::size_t n = scratch->symbols.size();
  if (n < 2) return;
  if (n <= kFewSymbols) {
    MergeFew(find, word_end, scratch);
  } else {
    MergeMany(find, word_end, scratch);
  }
}

}  // namespace ergo::tokenizer
