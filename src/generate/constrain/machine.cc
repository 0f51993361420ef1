#include "generate/constrain/machine.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace ergo::generate::constrain {
namespace {

constexpr std::uint32_t kFree = 0xFFFFFFFF;
/// Readings of one text that are followed. Beyond them the last ones are given up, which refuses
/// some texts but never lets a wrong one through.
constexpr std::size_t kMaxPositions = 4096;

std::uint64_t Hash(std::span<const Position> set) {
  std::uint64_t hash = set.size();
  for (const Position& position : set) {
    hash = (hash ^ position.state) * 0x9E3779B97F4A7C15ULL;
    hash = (hash ^ (hash >> 32) ^ position.count) * 0xC2B2AE3D27D4EB4FULL;
    hash = (hash ^ (hash >> 29) ^ position.stack) * 0x165667B19E3779F9ULL;
  }
  return hash ^ (hash >> 31);
}

bool RankAfter(std::uint32_t a, std::uint32_t b) { return a > b; }

}  // namespace

PositionSets::PositionSets() : offsets_({0}), table_(64, kFree) { (void)Intern({}); }

std::uint32_t PositionSets::Intern(std::span<const Position> set) {
  std::size_t slot = Hash(set) & (table_.size() - 1);
  while (table_[slot] != kFree) {
    if (std::ranges::equal((*this)[table_[slot]], set)) return table_[slot];
    slot = (slot + 1) & (table_.size() - 1);
  }
  const auto id = static_cast<std::uint32_t>(size());
  positions_.insert(positions_.end(), set.begin(), set.end());
  offsets_.push_back(positions_.size());
  table_[slot] = id;
  if (2 * size() > table_.size()) Grow();
  return id;
}

void PositionSets::Grow() {
  table_.assign(2 * table_.size(), kFree);
  for (std::uint32_t id = 0; id < size(); ++id) {
    std::size_t slot = Hash((*this)[id]) & (table_.size() - 1);
    while (table_[slot] != kFree) slot = (slot + 1) & (table_.size() - 1);
    table_[slot] = id;
  }
}

Machine::Machine(std::shared_ptr<const Grammar> grammar) : grammar_(std::move(grammar)) {
  (void)AddSet({});
  const Position bottom{Grammar::kBottom, 0, 0};
  bottom_stack_ = stacks_.Intern(std::span(&bottom, 1));
  const Position end{Grammar::kEnd, 0, 0};
  items_.clear();
  calls_.clear();
  if (grammar_->root_nullable()) items_.push_back(end);
  if (grammar_->state_count() > 2) {
    calls_.push_back({grammar_->rule(grammar_->root()).rank, end});
  }
  start_ = Close();
}

SetId Machine::AddSet(std::span<const Position> set) {
  const SetId id = sets_.Intern(set);
  if (id >= steps_.size()) steps_.resize(id + 1U);
  return id;
}

bool Machine::Has(SetId set, std::uint32_t state) const {
  const auto positions = sets_[set];
  // kEnd and kBottom are the lowest states; only the other one of them can stand before.
  return std::any_of(positions.begin(),
                     positions.begin() + std::min<std::ptrdiff_t>(2, std::ssize(positions)),
                     [state](const Position& position) { return position.state == state; });
}

int Machine::OnlyByte(SetId set) const {
  int only = -1;
  for (const Position& position : sets_[set]) {
    if (position.state == Grammar::kEnd || position.state == Grammar::kBottom) return -1;
    for (const ByteEdge& edge : grammar_->bytes(position.state)) {
      if (edge.first != edge.last || (only >= 0 && only != edge.first)) return -1;
      only = edge.first;
    }
  }
  return only;
}

SetId Machine::ComputeStep(SetId set, std::uint8_t byte) {
  items_.clear();
  calls_.clear();
  const std::vector<Position> from(sets_[set].begin(), sets_[set].end());
  // Bytes that all the edges treat alike have one result.
  std::uint8_t first = 0;
  std::uint8_t last = 0xFF;
  for (const Position& position : from) {
    const Grammar::Rule& rule = grammar_->rule_of(position.state);
    for (const ByteEdge& edge : grammar_->bytes(position.state)) {
      if (byte < edge.first) {
        last = std::min<std::uint8_t>(last, edge.first - 1);
        break;
      }
      if (byte > edge.last) {
        first = std::max<std::uint8_t>(first, edge.last + 1);
        continue;
      }
      first = std::max(first, edge.first);
      last = std::min(last, edge.last);
      Position next{edge.target, position.count, position.stack};
      if (rule.kind == Grammar::Kind::kByteLoop && grammar_->state(edge.target).accepting) {
        next.state = rule.start;
        // Without a maximum, counts matter up to the minimum only.
        const std::uint32_t most = rule.max == kUnlimited ? rule.min : rule.max;
        next.count = std::min(position.count + 1, most);
      }
      AddItem(next);
    }
  }
  const SetId result = Close();
  if (!steps_[set]) {
    steps_[set] = std::make_unique<std::array<std::uint32_t, 256>>();
    steps_[set]->fill(kUnknown);
    ++step_tables_;
  }
  std::fill(steps_[set]->begin() + first, steps_[set]->begin() + last + 1, result);
  return result;
}

void Machine::AddItem(const Position& item) {
  constexpr std::size_t kFew = 32;
  if (items_.size() < kFew) {
    if (std::find(items_.begin(), items_.end(), item) == items_.end()) items_.push_back(item);
    return;
  }
  if (items_.size() == kFew) {
    seen_.assign(items_.begin(), items_.end());
    std::sort(seen_.begin(), seen_.end());
  }
  const auto place = std::lower_bound(seen_.begin(), seen_.end(), item);
  if (place != seen_.end() && *place == item) return;
  if (items_.size() >= 4 * kMaxPositions) return;
  seen_.insert(place, item);
  items_.push_back(item);
}

void Machine::Complete(const Position& item) {
  const Grammar::Rule& rule = grammar_->rule_of(item.state);
  if (item.state <= Grammar::kBottom) return;
  const bool complete = rule.kind == Grammar::Kind::kPlain
                            ? grammar_->state(item.state).accepting
                            : item.state == rule.start && item.count >= rule.min;
  // Between two repetitions only: a loop in the midst of one has left its start, or is at 0.
  if (!complete) return;
  const std::span<const Position> stack = stacks_[item.stack];
  for (std::size_t i = 0; i < stack.size(); ++i) AddItem(stack[i]);
}

void Machine::AddCall(RuleId rule, const Position& back, bool tail) {
  const std::uint32_t rank = grammar_->rule(rule).rank;
  const auto push = [&](const Position& frame) {
    calls_.push_back({rank, frame});
    std::push_heap(calls_.begin(), calls_.end(),
                   [](const Call& a, const Call& b) { return RankAfter(a.rank, b.rank); });
  };
  if (!tail) return push(back);
  // Nothing is left to do in the calling rule: its own callers take its place.
  for (const Position& frame : stacks_[back.stack]) push(frame);
}

void Machine::AddCalls(const Position& item) {
  const Grammar::Rule& rule = grammar_->rule_of(item.state);
  if (item.state <= Grammar::kBottom) return;
  if (rule.kind == Grammar::Kind::kCallLoop) {
    if (item.count >= rule.max && rule.max != kUnlimited) return;
    if (grammar_->calls(item.state).empty()) return;
    const std::uint32_t most = rule.max == kUnlimited ? rule.min : rule.max;
    const std::uint32_t count = std::min(item.count + 1, most);
    const bool last = rule.max != kUnlimited && count == rule.max;
    AddCall(rule.element, {item.state, count, item.stack}, last);
    return;
  }
  for (const CallEdge& call : grammar_->calls(item.state)) {
    AddCall(call.rule, {call.target, 0, item.stack}, grammar_->state(call.target).leaves_only);
  }
}

/// Starts the rules that are called, each once, when all its callers are known.
void Machine::EnterRules() {
  const auto after = [](const Call& a, const Call& b) { return RankAfter(a.rank, b.rank); };
  while (!calls_.empty()) {
    const std::uint32_t rank = calls_.front().rank;
    frames_.clear();
    while (!calls_.empty() && calls_.front().rank == rank) {
      frames_.push_back(calls_.front().back);
      std::pop_heap(calls_.begin(), calls_.end(), after);
      calls_.pop_back();
    }
    std::sort(frames_.begin(), frames_.end());
    frames_.erase(std::unique(frames_.begin(), frames_.end()), frames_.end());
    if (frames_.size() > kMaxPositions) frames_.resize(kMaxPositions);
    const StackId stack = stacks_.Intern(frames_);
    const Position start{grammar_->rule(grammar_->rule_at_rank(rank)).start, 0, stack};
    if (Reads(start)) result_.push_back(start);
    AddCalls(start);
  }
}

bool Machine::Reads(const Position& item) const {
  if (item.state <= Grammar::kBottom) return true;
  if (grammar_->state(item.state).byte_count == 0) return false;
  const Grammar::Rule& rule = grammar_->rule_of(item.state);
  return rule.kind != Grammar::Kind::kByteLoop || item.state != rule.start ||
         rule.max == kUnlimited || item.count < rule.max;
}

SetId Machine::Close() {
  result_.clear();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const Position item = items_[i];
    Complete(item);
    AddCalls(item);
    if (Reads(item)) result_.push_back(item);
  }
  EnterRules();
  std::sort(result_.begin(), result_.end());
  result_.erase(std::unique(result_.begin(), result_.end()), result_.end());
  if (result_.size() > kMaxPositions) result_.resize(kMaxPositions);
  return AddSet(result_);
}

SetId Machine::Popped(StackId stack) {
  items_.clear();
  calls_.clear();
  for (const Position& frame : stacks_[stack]) AddItem(frame);
  return Close();
}

SetId Machine::Below(std::uint32_t state) {
  const Position position{state, 0, bottom_stack_};
  return AddSet(std::span(&position, 1));
}

SetId Machine::Import(const Machine& other, SetId set) {
  // A stack's positions have stacks with lower numbers, so that they are made first.
  std::vector<StackId> needed;
  std::unordered_map<StackId, StackId> names;
  const auto need = [&](std::span<const Position> positions) {
    for (const Position& position : positions) {
      if (names.try_emplace(position.stack, 0).second) needed.push_back(position.stack);
    }
  };
  need(other.sets_[set]);
  for (std::size_t i = 0; i < needed.size(); ++i) need(other.stacks_[needed[i]]);
  std::sort(needed.begin(), needed.end());
  const auto take = [&](std::span<const Position> positions) {
    std::vector<Position> renamed(positions.begin(), positions.end());
    for (Position& position : renamed) position.stack = names.at(position.stack);
    std::sort(renamed.begin(), renamed.end());
    return renamed;
  };
  for (const StackId stack : needed) names[stack] = stacks_.Intern(take(other.stacks_[stack]));
  return AddSet(take(other.sets_[set]));
}

std::size_t Machine::bytes() const {
  return sets_.bytes() + stacks_.bytes() + step_tables_ * 1024 + steps_.size() * sizeof(void*);
}

}  // namespace ergo::generate::constrain
