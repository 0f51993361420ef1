#include "runtime/kv/prefix_cache.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "runtime/kv/testing/written_sequences.h"

namespace ergo::runtime {
namespace {

using testing::TwoClasses;
using testing::Writer;
using testing::WrittenSequence;
using Tokens = std::vector<std::int32_t>;

Tokens Counting(std::size_t count, std::int32_t first = 0) {
  Tokens tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

/// A cache of `blocks` blocks with sequences that come and go.
struct Fixture {
  explicit Fixture(std::size_t blocks)
      : cache(SequenceCache::Create(TwoClasses(), blocks).value()), prefixes(cache) {}

  WrittenSequence Grown(std::span<const std::int32_t> tokens) {
    WrittenSequence sequence = {"", {}, cache.NewSequence()};
    writer.Append(sequence, tokens);
    return sequence;
  }
  /// Remembers the tokens, and no sequence stays.
  void Remember(std::span<const std::int32_t> tokens) {
    WrittenSequence sequence = Grown(tokens);
    prefixes.Insert("", tokens, sequence.blocks);
    cache.Trim(sequence.blocks, 0);
  }
  /// How many tokens are found, the right ones.
  std::size_t Found(std::span<const std::int32_t> tokens, std::size_t most = SIZE_MAX) {
    SequenceBlocks found = prefixes.Find("", tokens, most);
    EXPECT_TRUE(writer.IsRight(tokens, found));
    const std::size_t length = found.length;
    cache.Trim(found, 0);
    return length;
  }

  SequenceCache cache;
  PrefixCache prefixes;
  Writer writer{cache};
};

TEST(PrefixCache, FindsTheLongestPrefixToTheToken) {
  Fixture f(16);
  const Tokens text = Counting(150);
  f.Remember(text);
  EXPECT_EQ(f.cache.available(), 13u);
  EXPECT_EQ(f.Found(text), 150u);
  EXPECT_EQ(f.Found(text, 149), 149u);
  EXPECT_EQ(f.Found(text, 128), 128u);
  EXPECT_EQ(f.Found(text, 0), 0u);
  EXPECT_EQ(f.Found(Counting(200)), 150u);
  Tokens other = text;
  other[100] = 7;
  EXPECT_EQ(f.Found(other), 100u);
  other[0] = 7;
  EXPECT_EQ(f.Found(other), 0u);
  EXPECT_EQ(f.prefixes.Match("", text, 70), 70u);
  EXPECT_EQ(f.prefixes.Match("else", text, 70), 0u);
  EXPECT_EQ(f.cache.available(), 13u);
  const PrefixStats stats = f.prefixes.stats();
  EXPECT_EQ(stats.lookups, 7u);
  EXPECT_EQ(stats.hit_tokens, 150u + 149 + 128 + 0 + 150 + 100 + 0);
  EXPECT_EQ(stats.missed_tokens, 0u + 1 + 22 + 150 + 50 + 50 + 150);
  EXPECT_EQ(stats.nodes, 3u);
  EXPECT_EQ(stats.bytes, 3 * f.cache.block_bytes());
  EXPECT_EQ(stats.idle_bytes, stats.bytes);
}

TEST(PrefixCache, WhatIsFoundIsCopiedWhenItIsWrittenTo) {
  Fixture f(16);
  const Tokens text = Counting(150);
  f.Remember(text);
  Tokens other = Counting(140);
  other.push_back(7);
  WrittenSequence sequence = {"", {}, f.prefixes.Find("", other, 140)};
  sequence.tokens = Counting(140);
  EXPECT_EQ(f.cache.Missing(sequence.blocks, 141), 1u);
  f.writer.Append(sequence, Tokens{7});
  EXPECT_TRUE(f.writer.IsRight(other, sequence.blocks));
  EXPECT_EQ(f.Found(text), 150u);
  f.prefixes.Insert("", other, sequence.blocks);
  EXPECT_EQ(f.prefixes.stats().nodes, 4u);
  EXPECT_EQ(f.Found(other), 141u);
  EXPECT_EQ(f.Found(text), 150u);
  f.cache.Trim(sequence.blocks, 0);
}

TEST(PrefixCache, KeepsOneCopyOfEachBlock) {
  Fixture f(16);
  const Tokens text = Counting(150);
  f.Remember(text);
  WrittenSequence again = f.Grown(text);  // as if it had been computed at the same time
  EXPECT_EQ(f.cache.available(), 10u);
  f.prefixes.Insert("", text, again.blocks);
  EXPECT_EQ(f.cache.available(), 12u);  // its full blocks are the tree's, the open one is its own
  EXPECT_TRUE(f.writer.IsRight(text, again.blocks));
  f.writer.Append(again, Counting(20, 150));
  f.prefixes.Insert("", again.tokens, again.blocks);  // the open node grows
  EXPECT_EQ(f.prefixes.stats().nodes, 3u);
  EXPECT_EQ(f.cache.available(), 13u);
  f.cache.Trim(again.blocks, 0);
  EXPECT_EQ(f.Found(Counting(170)), 170u);
}

TEST(PrefixCache, GivesBackTheOldestFirstLeavesFirst) {
  Fixture f(6);
  f.Remember(Counting(128, 1000));
  f.Remember(Counting(128, 2000));
  f.Remember(Counting(128, 3000));
  EXPECT_EQ(f.cache.available(), 0u);
  EXPECT_EQ(f.Found(Counting(128, 1000)), 128u);  // the second is the oldest now
  EXPECT_EQ(f.prefixes.Evict(1), 1u);
  EXPECT_EQ(f.Found(Counting(128, 2000)), 64u);
  EXPECT_EQ(f.Found(Counting(128, 1000)), 128u);
  EXPECT_EQ(f.Found(Counting(128, 3000)), 128u);
  EXPECT_EQ(f.prefixes.Evict(1), 0u);  // one is available
  EXPECT_EQ(f.prefixes.Evict(100), 5u);
  EXPECT_EQ(f.cache.available(), 6u);
  EXPECT_EQ(f.prefixes.stats().evictions, 6u);
}

TEST(PrefixCache, WhatCostsMoreStaysLonger) {
  Fixture f(200);
  f.Remember(Counting(64 * 80));  // its last block costs more than twice a first one
  for (std::int32_t i = 0; i < 100; ++i) f.Remember(Counting(64, 100000 + 64 * i));
  f.prefixes.Evict(60);
  EXPECT_EQ(f.prefixes.Match("", Counting(64 * 80), SIZE_MAX), 64u * 80);
  // It does not stay for ever.
  for (std::int32_t i = 0; i < 1000; ++i) {
    f.prefixes.Evict(1);
    f.Remember(Counting(64, 200000 + 64 * i));
  }
  EXPECT_LT(f.prefixes.Match("", Counting(64 * 80), SIZE_MAX), 64u * 80);
}

TEST(PrefixCache, BlocksInUseAreNotGivenBack) {
  Fixture f(6);
  f.Remember(Counting(128, 1000));
  f.Remember(Counting(128, 2000));
  SequenceBlocks used = f.prefixes.Find("", Counting(128, 1000), 128);
  EXPECT_EQ(f.prefixes.evictable(), 2u);
  EXPECT_EQ(f.prefixes.Evict(6), 2u);
  EXPECT_TRUE(f.writer.IsRight(Counting(128, 1000), used));
  EXPECT_EQ(f.Found(Counting(128, 1000)), 128u);
  EXPECT_EQ(f.prefixes.evictable(), 0u);
  f.cache.Trim(used, 0);
  EXPECT_EQ(f.prefixes.evictable(), 2u);
  EXPECT_EQ(f.prefixes.Evict(6), 2u);
}

TEST(PrefixCache, ABranchInUseDoesNotHoldWhatNobodyUses) {
  Fixture f(8);
  f.Remember(Counting(128));
  WrittenSequence own = f.Grown(Counting(192));  // has copies of its own of the first two blocks
  SequenceBlocks fork = f.cache.Fork(own.blocks, 192);
  f.prefixes.Insert("", own.tokens, own.blocks);
  f.cache.Trim(own.blocks, 0);
  EXPECT_EQ(f.prefixes.evictable(), 2u);
  EXPECT_EQ(f.cache.available(), 3u);
  EXPECT_EQ(f.prefixes.Evict(5), 2u);
  EXPECT_EQ(f.cache.available(), 5u);
  EXPECT_TRUE(f.writer.IsRight(Counting(192), fork));
  f.cache.Trim(fork, 0);
  EXPECT_EQ(f.cache.available(), 8u);
}

TEST(PrefixCache, ASequenceGoesOnInTheBlockThatIsRemembered) {
  Fixture f(2);
  WrittenSequence sequence = f.Grown(Counting(100));
  f.prefixes.Insert("", sequence.tokens, sequence.blocks);
  EXPECT_EQ(f.cache.Missing(sequence.blocks, 101), 0u);
  f.writer.Append(sequence, Counting(10, 100));
  EXPECT_EQ(f.Found(Counting(128)), 100u);
  f.prefixes.Insert("", sequence.tokens, sequence.blocks);
  EXPECT_EQ(f.Found(Counting(128)), 110u);
  f.cache.Trim(sequence.blocks, 105);
  EXPECT_EQ(f.cache.Missing(sequence.blocks, 106), 1u);
  f.cache.Trim(sequence.blocks, 0);
}

TEST(PrefixCache, AtLastASequenceGetsItsOpenBlockForItself) {
  Fixture f(2);
  f.Remember(Counting(128));
  WrittenSequence sequence = {"", Counting(100), f.prefixes.Find("", Counting(100), 100)};
  EXPECT_EQ(f.cache.Missing(sequence.blocks, 101), 1u);
  EXPECT_EQ(f.prefixes.Evict(1), 0u);
  EXPECT_TRUE(f.prefixes.Yield(sequence.blocks));
  EXPECT_FALSE(f.prefixes.Yield(sequence.blocks));
  EXPECT_EQ(f.cache.Missing(sequence.blocks, 101), 0u);
  f.writer.Append(sequence, Counting(28, 1000));
  EXPECT_EQ(f.Found(Counting(128)), 64u);
  f.cache.Trim(sequence.blocks, 0);
}

TEST(PrefixCache, NameSpacesAreApart) {
  Fixture f(8);
  WrittenSequence a = f.Grown(Counting(100));
  f.prefixes.Insert("a", a.tokens, a.blocks);
  f.prefixes.Insert("b", a.tokens, a.blocks);  // its blocks are a's
  EXPECT_EQ(f.prefixes.Match("b", a.tokens, 100), 0u);
  WrittenSequence b = f.Grown(Counting(100));
  f.prefixes.Insert("b", b.tokens, b.blocks);
  f.cache.Trim(a.blocks, 0);
  f.cache.Trim(b.blocks, 0);
  EXPECT_EQ(f.cache.available(), 4u);
  f.prefixes.Drop("c");
  f.prefixes.Drop("a");
  EXPECT_EQ(f.cache.available(), 6u);
  EXPECT_EQ(f.prefixes.Match("a", a.tokens, 100), 0u);
  EXPECT_EQ(f.prefixes.Match("b", a.tokens, 100), 100u);
  f.prefixes.Clear();
  EXPECT_EQ(f.cache.available(), 8u);
}

// ---- Random operations against a model that knows only what was remembered ----

/// One operation and its arguments, which are reduced to what there is.
struct Operation {
  unsigned kind = 0;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
};

std::ostream& operator<<(std::ostream& out, const Operation& op) {
  return out << "{" << op.kind << ", " << op.a << ", " << op.b << ", " << op.c << "}";
}

class World {
 public:
  World(std::size_t blocks, bool evicts) : f_(blocks), evicts_(evicts) {}

  void Do(const Operation& op) {
    switch (op.kind % 9) {
      case 0:
      case 1:
        Start(op);
        break;
      case 2:
        if (auto* sequence = Pick(op.a)) Append(*sequence, Random(op.b % 150 + 1, op.c));
        break;
      case 3:
        Fork(op);
        break;
      case 4:
        Truncate(op);
        break;
      case 5:
        Insert(op);
        break;
      case 6:
        Release(op);
        break;
      case 7:
        Evict(op);
        break;
      default:
        if (op.a % 4 == 0) Drop(op);
    }
    for (const WrittenSequence& sequence : live_) {
      RC_ASSERT(sequence.tokens.size() == sequence.blocks.length);
      RC_ASSERT(f_.writer.IsRight(sequence.tokens, sequence.blocks));
    }
  }

  void End() {
    while (!live_.empty()) Release({});
    RC_ASSERT(f_.prefixes.evictable() + f_.cache.available() == f_.cache.capacity());
    RC_ASSERT(f_.prefixes.stats().nodes == f_.prefixes.evictable());
    f_.prefixes.Evict(f_.cache.capacity());
    RC_ASSERT(f_.cache.available() == f_.cache.capacity());
  }

 private:
  static Tokens Random(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    Tokens tokens(count);
    for (auto& token : tokens) token = static_cast<std::int32_t>(random() % 2);
    return tokens;
  }
  static std::string NameSpace(unsigned a) { return a % 3 == 0 ? "other" : ""; }

  WrittenSequence* Pick(unsigned a) { return live_.empty() ? nullptr : &live_[a % live_.size()]; }

  /// Tokens of `text` that some remembered text begins with.
  std::size_t Known(const std::string& name_space, const Tokens& text) const {
    std::size_t best = 0;
    for (const auto& [name, known] : remembered_) {
      if (name != name_space) continue;
      const auto end = std::mismatch(text.begin(), text.end(), known.begin(), known.end()).first;
      best = std::max(best, static_cast<std::size_t>(end - text.begin()));
    }
    return best;
  }

  /// A prompt: the beginning of a text that was there before, and something new.
  void Start(const Operation& op) {
    Tokens text;
    if (!texts_.empty()) {
      text = texts_[op.a % texts_.size()];
      text.resize(op.b % (text.size() + 1));
    }
    const Tokens more = Random(op.c % 200 + 1, op.b);
    text.insert(text.end(), more.begin(), more.end());
    const std::string name_space = NameSpace(op.c);
    const std::size_t most = op.b % 2 == 0 ? text.size() - 1 : text.size();
    const std::size_t known = std::min(most, Known(name_space, text));
    const std::size_t match = f_.prefixes.Match(name_space, text, most);
    const std::size_t available = f_.cache.available();
    WrittenSequence sequence = {name_space, {}, f_.prefixes.Find(name_space, text, most)};
    const std::size_t length = sequence.blocks.length;
    RC_ASSERT(f_.cache.available() == available);
    RC_ASSERT(length == match);
    RC_ASSERT((evicts_ ? length <= known : length == known));
    RC_ASSERT(f_.writer.IsRight(text, sequence.blocks));
    sequence.tokens.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
    live_.push_back(std::move(sequence));
    Append(live_.back(), std::span(text).subspan(length));
    texts_.push_back(text);
  }

  void Append(WrittenSequence& sequence, std::span<const std::int32_t> tokens) {
    const std::size_t length = sequence.blocks.length + tokens.size();
    if (f_.cache.Missing(sequence.blocks, length) > f_.cache.available()) {
      RC_ASSERT(evicts_);
      CheckedEvict(f_.cache.Missing(sequence.blocks, length));
    }
    if (f_.cache.Missing(sequence.blocks, length) > f_.cache.available() &&
        !f_.prefixes.Yield(sequence.blocks)) {
      return;
    }
    if (f_.cache.Missing(sequence.blocks, length) > f_.cache.available()) return;
    f_.writer.Append(sequence, tokens);
  }

  void Fork(const Operation& op) {
    const WrittenSequence* origin = Pick(op.a);
    if (origin == nullptr) return;
    const std::size_t length = op.b % (origin->blocks.length + 1);
    WrittenSequence fork = {origin->name_space, origin->tokens,
                            f_.cache.Fork(origin->blocks, length)};
    fork.tokens.resize(length);
    live_.push_back(std::move(fork));
  }

  void Truncate(const Operation& op) {
    WrittenSequence* sequence = Pick(op.a);
    if (sequence == nullptr) return;
    f_.cache.Trim(sequence->blocks, op.b % (sequence->blocks.length + 1));
    sequence->tokens.resize(sequence->blocks.length);
  }

  void Insert(const Operation& op) {
    WrittenSequence* sequence = Pick(op.a);
    if (sequence == nullptr) return;
    const std::size_t available = f_.cache.available();
    f_.prefixes.Insert(sequence->name_space, sequence->tokens, sequence->blocks);
    RC_ASSERT(f_.cache.available() >= available);
    remembered_.emplace_back(sequence->name_space, sequence->tokens);
    const std::size_t length = sequence->tokens.size();
    RC_ASSERT(f_.prefixes.Match(sequence->name_space, sequence->tokens, length) == length);
  }

  void Release(const Operation& op) {
    if (live_.empty()) return;
    const auto it = live_.begin() + op.a % live_.size();
    f_.cache.Trim(it->blocks, 0);
    live_.erase(it);
  }

  void CheckedEvict(std::size_t blocks) {
    const std::size_t available = f_.cache.available();
    const std::size_t evictable = f_.prefixes.evictable();
    const std::size_t given = f_.prefixes.Evict(blocks);
    RC_ASSERT(f_.cache.available() == available + given);
    RC_ASSERT(given == std::min(evictable, std::max(blocks, available) - available));
    RC_ASSERT(f_.prefixes.evictable() == evictable - given);
  }
  void Evict(const Operation& op) {
    if (evicts_) CheckedEvict(op.b % (f_.cache.capacity() + 1));
  }

  void Drop(const Operation& op) {
    const std::string name_space = NameSpace(op.b);
    f_.prefixes.Drop(name_space);
    std::erase_if(remembered_, [&](const auto& known) { return known.first == name_space; });
  }

  Fixture f_;
  bool evicts_;
  std::vector<WrittenSequence> live_;
  std::vector<Tokens> texts_;
  std::vector<std::pair<std::string, Tokens>> remembered_;
};

rc::Gen<std::vector<Operation>> Operations() {
  const auto argument = rc::gen::inRange(0u, 100000u);
  return rc::gen::scale(2.0, rc::gen::container<std::vector<Operation>>(rc::gen::apply(
                                 [](unsigned kind, unsigned a, unsigned b, unsigned c) {
                                   return Operation{kind, a, b, c};
                                 },
                                 rc::gen::inRange(0u, 9u), argument, argument, argument)));
}

RC_GTEST_PROP(PrefixCacheProperty, FindsWhatWasRemembered, ()) {
  World world(4096, false);
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

RC_GTEST_PROP(PrefixCacheProperty, StaysRightUnderPressure, ()) {
  World world(*rc::gen::inRange<std::size_t>(1, 24), true);
  for (const Operation& op : *Operations()) world.Do(op);
  world.End();
}

}  // namespace
}  // namespace ergo::runtime
