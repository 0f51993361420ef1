#include "generate/constrain/token_masks.h"

#include <algorithm>
#include <utility>

namespace ergo::generate::constrain {
namespace {

/// Counts of repetitions for which loops keep a set of their own.
constexpr std::size_t kKeptCounts = 16;
/// What tokens may add after the end of a rule before it is better to look at all of them, most of
/// which something else than their start rules out.
constexpr std::size_t kMaxTails = 8192;
/// States whose masks are kept: at most 150 MB for 150,000 tokens.
constexpr std::size_t kMaxStateMasks = 8192;

}  // namespace

TokenMasks::TokenMasks(std::shared_ptr<const Grammar> grammar,
                       std::shared_ptr<const TokenTable> table)
    : grammar_(std::move(grammar)), table_(std::move(table)), bits_(table_->size()) {}

TokenSet TokenMasks::Search(Machine* machine, SetId set) {
  TokenBits bits(table_->size());
  AddTails(machine, set, table_->trie(), &bits);
  if (machine->CanEnd(set)) bits.Add(table_->ends());
  return bits.Take();
}

void TokenMasks::AddTails(Machine* machine, SetId set, const TokenTrie& tails,
                          TokenBits* bits) const {
  std::vector<SetId> sets(tails.max_depth() + 1, Machine::kDead);
  sets[0] = set;
  const auto nodes = tails.nodes();
  for (std::size_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& node = nodes[i];
    const SetId next = machine->Step(sets[node.depth], node.byte);
    if (next == Machine::kDead) {
      i = node.end;
      continue;
    }
    sets[node.depth + 1U] = next;
    bits->Add(tails.tokens(i));
    ++i;
  }
}

bool TokenMasks::Extends(Machine* machine, SetId set, std::string_view text) const {
  const auto nodes = table_->trie().nodes();
  std::size_t i = 0;
  std::size_t end = nodes.size();
  for (const char c : text) {
    while (i < end && nodes[i].byte != static_cast<std::uint8_t>(c)) i = nodes[i].end;
    if (i >= end) return false;
    end = nodes[i].end;
    ++i;
  }
  const std::size_t base = text.size();
  std::vector<SetId> sets(table_->trie().max_depth() + 1, Machine::kDead);
  sets[0] = set;
  while (i < end) {
    const std::size_t depth = nodes[i].depth - base;
    const SetId next = machine->Step(sets[depth], nodes[i].byte);
    if (next == Machine::kDead) {
      i = nodes[i].end;
      continue;
    }
    if (!table_->trie().tokens(i).empty()) return true;
    sets[depth + 1] = next;
    ++i;
  }
  return false;
}

const TokenMasks::StateMask& TokenMasks::MaskOf(Machine* machine, std::uint32_t state) {
  const auto known = masks_.find(state);
  if (known != masks_.end()) return known->second;
  if (masks_.size() >= kMaxStateMasks) masks_.clear();
  return masks_.try_emplace(state, SearchState(machine, state)).first->second;
}

TokenMasks::StateMask TokenMasks::SearchState(Machine* machine, std::uint32_t state) const {
  TokenBits sure(table_->size());
  std::vector<TokenTrie::Entry> tails;
  const SetId start = machine->Below(state);
  const auto step = [machine](SetId set, std::uint8_t byte) { return machine->Step(set, byte); };
  const auto fits = [](std::uint32_t, SetId) { return true; };
  const TokenTrie* trie = &table_->trie();
  for (const TokenSlice& slice : table_->slices()) {
    const bool all = Covers(slice, TokenSlice::kAnyLength, start, step, fits);
    if (!all && !Covers(slice, TokenSlice::kKept, start, step, fits)) continue;
    slice.AddUpTo(all ? TokenSlice::kAnyLength : TokenSlice::kKept, &sure);
    if (!all && !Walk(machine, state, slice.longer(), &sure, &tails)) {
      return StateMask{.search = true};
    }
    trie = &slice.rest();
    break;
  }
  if (!Walk(machine, state, *trie, &sure, &tails)) return StateMask{.search = true};
  return StateMask{.sure = sure.Take(), .tails = TokenTrie(&tails)};
}

bool TokenMasks::Walk(Machine* machine, std::uint32_t state, const TokenTrie& trie, TokenBits* sure,
                      std::vector<TokenTrie::Entry>* tails) const {
  const Grammar::ByteSet& follow = grammar_->follow(grammar_->rule_id_of(state));
  const auto nodes = trie.nodes();
  std::vector<SetId> sets(trie.max_depth() + 1, Machine::kDead);
  sets[0] = machine->Below(state);
  // Lengths of the path at which the rule was complete and may be followed by what comes next.
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& node = nodes[i];
    while (!ends.empty() && ends.back() >= node.depth) ends.pop_back();
    if (node.depth > 0 && follow.test(node.byte) && machine->AtBottom(sets[node.depth])) {
      ends.push_back(node.depth);
    }
    const SetId next = machine->Step(sets[node.depth], node.byte);
    if (next == Machine::kDead && ends.empty()) {
      i = node.end;
      continue;
    }
    sets[node.depth + 1U] = next;
    if (next != Machine::kDead) {
      sure->Add(trie.tokens(i));
    } else {
      for (const TokenId id : trie.tokens(i)) {
        for (const std::size_t end : ends) tails->emplace_back(table_->bytes(id).substr(end), id);
      }
      if (tails->size() > kMaxTails) return false;
    }
    ++i;
  }
  return true;
}

std::uint32_t TokenMasks::StepLoop(std::uint32_t state, std::uint8_t byte, bool* complete) const {
  for (const ByteEdge& edge : grammar_->bytes(state)) {
    if (byte < edge.first) break;
    if (byte > edge.last) continue;
    if (!grammar_->state(edge.target).accepting) return edge.target;
    *complete = true;
    return grammar_->rule_of(state).start;
  }
  return Grammar::kEnd;
}

TokenMasks::LoopMask TokenMasks::SearchLoop(std::uint32_t state) const {
  const std::uint32_t start = grammar_->rule_of(state).start;
  LoopMask mask;
  const TokenTrie* trie = &table_->trie();
  for (const TokenSlice& slice : table_->slices()) {
    bool complete = false;
    const auto step = [&](std::uint32_t from, std::uint8_t byte) {
      return StepLoop(from, byte, &complete);
    };
    const auto fits = [start](std::uint32_t of_slice, std::uint32_t at) {
      return (of_slice == TokenSlice::kStart) == (at == start);
    };
    if (!Covers(slice, TokenSlice::kAnyLength, state, step, fits)) continue;
    mask.slice = &slice;
    trie = &slice.rest();
    break;
  }
  LoopFinds finds(trie->max_depth());
  if (!WalkLoop(state, *trie, &finds)) {
    mask.search = true;
    return mask;
  }
  while (finds.ids.size() > 1 && finds.ids.back().empty()) finds.ids.pop_back();
  for (const std::vector<TokenId>& ids : finds.ids) {
    mask.ids.insert(mask.ids.end(), ids.begin(), ids.end());
    mask.counts.push_back(mask.ids.size());
  }
  TokenBits all(table_->size());
  all.Add(mask.ids);
  mask.all = all.Take();
  while (!finds.tails.empty() && finds.tails.back().empty()) finds.tails.pop_back();
  std::vector<TokenTrie::Entry> all_tails;
  for (std::vector<TokenTrie::Entry>& entries : finds.tails) {
    all_tails.insert(all_tails.end(), entries.begin(), entries.end());
    mask.tails.emplace_back(&entries);
  }
  mask.all_tails = TokenTrie(&all_tails);
  return mask;
}

bool TokenMasks::WalkLoop(std::uint32_t state, const TokenTrie& trie, LoopFinds* finds) const {
  struct At {
    std::uint32_t state = 0;  ///< kEnd once the token is outside of the loop
    std::uint32_t complete = 0;
  };
  const Grammar::ByteSet& follow = grammar_->follow(grammar_->rule_id_of(state));
  const std::uint32_t start = grammar_->rule_of(state).start;
  const auto nodes = trie.nodes();
  std::vector<At> path(trie.max_depth() + 1);
  path[0] = {state, 0};
  // Lengths of the path at which repetitions were complete, and how many of them.
  std::vector<std::pair<std::size_t, std::size_t>> ends;
  std::size_t tails = 0;
  for (std::size_t i = 0; i < nodes.size();) {
    const TokenTrie::Node& node = nodes[i];
    while (!ends.empty() && ends.back().first >= node.depth) ends.pop_back();
    const At from = path[node.depth];
    if (node.depth > 0 && from.state == start && follow.test(node.byte)) {
      ends.emplace_back(node.depth, from.complete);
    }
    bool complete = false;
    At next{Grammar::kEnd, from.complete};
    if (from.state != Grammar::kEnd) next.state = StepLoop(from.state, node.byte, &complete);
    if (complete) ++next.complete;
    if (next.state == Grammar::kEnd && ends.empty()) {
      i = node.end;
      continue;
    }
    path[node.depth + 1U] = next;
    for (const TokenId id : trie.tokens(i)) {
      if (next.state != Grammar::kEnd) {
        finds->ids[next.complete + (next.state == start ? 0 : 1)].push_back(id);
        continue;
      }
      for (const auto& [length, repetitions] : ends) {
        finds->tails[repetitions].emplace_back(table_->bytes(id).substr(length), id);
      }
      tails += ends.size();
    }
    if (tails > kMaxTails) return false;
    ++i;
  }
  return true;
}

TokenMasks::LoopMask& TokenMasks::LoopMaskOf(std::uint32_t state) {
  const auto known = loops_.find(state);
  if (known != loops_.end()) return known->second;
  return loops_.try_emplace(state, SearchLoop(state)).first->second;
}

void TokenMasks::AddUpTo(LoopMask* mask, std::size_t repetitions) {
  if (mask->slice != nullptr) mask->slice->AddUpTo(repetitions, &bits_);
  if (repetitions + 1 >= mask->counts.size()) return bits_.Add(mask->all);
  const std::size_t kept = std::min(repetitions, kKeptCounts);
  if (mask->up_to.size() <= kept) mask->up_to.resize(kept + 1);
  if (!mask->up_to[kept]) {
    TokenBits bits(table_->size());
    bits.Add(std::span(mask->ids).first(mask->counts[kept]));
    mask->up_to[kept] = bits.Take();
  }
  bits_.Add(*mask->up_to[kept]);
  const std::size_t done = mask->counts[kept];
  bits_.Add(std::span(mask->ids).subspan(done, mask->counts[repetitions] - done));
}

bool TokenMasks::SharesFirstByte(const Machine& machine, SetId set, std::uint32_t state) const {
  std::array<bool, 256> first{};
  for (const ByteEdge& edge : grammar_->bytes(state)) {
    std::fill(first.begin() + edge.first, first.begin() + edge.last + 1, true);
  }
  for (const Position& position : machine.positions(set)) {
    for (const ByteEdge& edge : grammar_->bytes(position.state)) {
      if (std::find(first.begin() + edge.first, first.begin() + edge.last + 1, true) !=
          first.begin() + edge.last + 1) {
        return true;
      }
    }
  }
  return false;
}

void TokenMasks::AddLonger(Machine* machine, const Position& position, const LoopMask& mask,
                           std::size_t repetitions) {
  constexpr std::size_t kMaxOneByOne = 1024;
  const SetId only = machine->Only(position);
  std::span<const TokenId> own;
  if (repetitions + 1 < mask.counts.size()) {
    own = std::span(mask.ids).subspan(mask.counts[repetitions]);
  }
  std::span<const TokenId> shared;
  if (mask.slice != nullptr) shared = mask.slice->Above(repetitions);
  if (own.size() + shared.size() > kMaxOneByOne) {
    AddTails(machine, only, table_->trie(), &bits_);
    return;
  }
  for (const auto ids : {own, shared}) {
    for (const TokenId id : ids) {
      SetId set = only;
      for (const char c : table_->bytes(id)) {
        set = machine->Step(set, static_cast<std::uint8_t>(c));
      }
      if (set != Machine::kDead) bits_.Set(id);
    }
  }
}

void TokenMasks::AddLoop(Machine* machine, const Position& position) {
  const Grammar::Rule& rule = grammar_->rule_of(position.state);
  LoopMask& mask = LoopMaskOf(position.state);
  if (mask.search) {
    AddTails(machine, machine->Only(position), table_->trie(), &bits_);
    return;
  }
  const std::size_t most =
      rule.max == kUnlimited ? mask.most() : std::size_t{rule.max} - position.count;
  const std::size_t least = rule.min > position.count ? rule.min - position.count : 0;
  AddUpTo(&mask, most);
  const SetId after = machine->Popped(position.stack);
  if (most < mask.most() && SharesFirstByte(*machine, after, rule.start)) {
    AddLonger(machine, position, mask, most);
  }
  if (least <= 1 && most + 1 >= mask.tails.size()) {
    AddTails(machine, after, mask.all_tails, &bits_);
    return;
  }
  for (std::size_t i = least; i <= most && i < mask.tails.size(); ++i) {
    AddTails(machine, after, mask.tails[i], &bits_);
  }
}

TokenSet TokenMasks::Allowed(Machine* machine, SetId set) {
  bits_.Clear();
  const std::vector<Position> positions(machine->positions(set).begin(),
                                        machine->positions(set).end());
  for (const Position& position : positions) {
    if (position.state == Grammar::kEnd) {
      bits_.Add(table_->ends());
    } else if (grammar_->rule_of(position.state).kind == Grammar::Kind::kByteLoop) {
      AddLoop(machine, position);
    } else {
      const StateMask& mask = MaskOf(machine, position.state);
      bits_.Add(mask.sure);
      if (mask.search) {
        AddTails(machine, machine->Only(position), table_->trie(), &bits_);
      } else if (!mask.tails.empty()) {
        AddTails(machine, machine->Popped(position.stack), mask.tails, &bits_);
      }
    }
  }
  return bits_.Take();
}

}  // namespace ergo::generate::constrain
