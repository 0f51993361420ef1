// A cache of prefixes whose contents are known, and random operations on it.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/kv/prefix_cache.h"
#include "runtime/kv/testing/temporary_folder.h"
#include "runtime/kv/testing/written_sequences.h"

namespace ergo::runtime::testing {

using Tokens = std::vector<std::int32_t>;

inline Tokens Counting(std::size_t count, std::int32_t first = 0) {
  Tokens tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

/// A cache of `blocks` blocks of all classes with sequences that come and go.
struct Fixture {
  explicit Fixture(std::size_t blocks, const std::vector<model::KvClass>& classes = TwoClasses())
      : cache(SequenceCache::Create(classes, {.bytes = blocks * BlockBytes(classes)}).value()) {
    prefixes.emplace(cache);
  }

  static std::size_t BlockBytes(const std::vector<model::KvClass>& classes) {
    std::size_t bytes = 0;
    for (const model::KvClass& kv_class : classes) bytes += kv_class.layout.BlockBytes();
    return bytes;
  }
  // In blocks of all classes.
  std::size_t Free() const { return cache.available() / cache.block_bytes(); }
  std::size_t Evictable() const { return prefixes->evictable() / cache.block_bytes(); }
  std::size_t Evict(std::size_t blocks) {
    return prefixes->Evict(blocks * cache.block_bytes()) / cache.block_bytes();
  }
  std::size_t Missing(const SequenceBlocks& sequence, std::size_t length) const {
    return cache.Missing(sequence, length) / cache.block_bytes();
  }

  /// Another process's cache, with no sequences, over a store of `bytes` in `folder`.
  void Restart(const std::string& folder, std::size_t bytes) {
    prefixes.emplace(cache);
    StoreOptions options = {folder, {"a model"}, bytes, {}, {}};
    for (std::size_t c = 0; c < cache.classes(); ++c) {
      options.block_bytes.push_back(cache.blocks(c).block_bytes());
    }
    options.warn = [this](const Error& error) { warnings.push_back(error); };
    auto store = PrefixStore::Open(options);
    EXPECT_TRUE(store) << store.error().Message();
    if (store) prefixes->Attach(*std::move(store));
  }

  WrittenSequence Grown(std::span<const std::int32_t> tokens) {
    WrittenSequence sequence = {"", {}, cache.NewSequence()};
    writer.Append(sequence, tokens);
    return sequence;
  }
  /// Remembers the tokens, and no sequence stays.
  void Remember(std::span<const std::int32_t> tokens) {
    WrittenSequence sequence = Grown(tokens);
    prefixes->Insert("", tokens, sequence.blocks);
    cache.Trim(sequence.blocks, 0);
  }
  /// How many tokens are found, the right ones.
  std::size_t Found(std::span<const std::int32_t> tokens, std::size_t most = SIZE_MAX) {
    SequenceBlocks found = prefixes->Find("", tokens, most);
    EXPECT_TRUE(writer.IsRight(tokens, found));
    const std::size_t length = found.length;
    cache.Trim(found, 0);
    return length;
  }

  SequenceCache cache;
  std::optional<PrefixCache> prefixes;  ///< always there
  std::vector<Error> warnings;          ///< of the store
  Writer writer{cache};
};

/// One operation and its arguments, which are reduced to what there is.
struct Operation {
  unsigned kind = 0;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Operation& op) {
  return out << "{" << op.kind << ", " << op.a << ", " << op.b << ", " << op.c << "}";
}

struct WorldOptions {
  std::size_t blocks = 1;
  bool evicts = false;
  std::size_t stored_bytes = 0;  ///< 0: without a store
  bool damages = false;          ///< files are damaged, and not all is saved
  bool windows = false;          ///< some classes have windows
};

/// Sequences that come, grow, fork and go, beside a model that knows only what was remembered: if
/// nothing is evicted or damaged and no class has a window, all of that must be found, and else
/// nothing that is wrong.
class World {
 public:
  explicit World(const WorldOptions& options)
      : options_(options),
        f_(options.blocks, options.windows ? WindowClasses() : TwoClasses()),
        evicts_(options.evicts) {
    if (options_.stored_bytes != 0) f_.Restart(folder_.path(), options_.stored_bytes);
  }

  void Do(const Operation& op) {
    switch (op.kind % 10) {
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
      case 8:
        if (op.a % 4 == 0) Drop(op);
        break;
      default:
        if (options_.stored_bytes != 0 && op.a % 4 == 0) Restart(op);
    }
    for (const WrittenSequence& sequence : live_) {
      RC_ASSERT(sequence.tokens.size() == sequence.blocks.length);
      RC_ASSERT(f_.writer.IsRight(sequence.tokens, sequence.blocks));
    }
  }

  void End() {
    while (!live_.empty()) Release({});
    RC_ASSERT(f_.prefixes->evictable() + f_.cache.available() == f_.cache.capacity());
    RC_ASSERT(f_.prefixes->stats().bytes == f_.prefixes->evictable());
    f_.prefixes->Evict(f_.cache.capacity());
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
    const std::size_t match = f_.prefixes->Match(name_space, text, most);
    const std::size_t available = f_.cache.available();
    WrittenSequence sequence = {name_space, {}, f_.prefixes->Find(name_space, text, most)};
    const std::size_t length = sequence.blocks.length;
    RC_ASSERT(options_.stored_bytes != 0 || f_.cache.available() == available);
    RC_ASSERT(length <= match);
    if (!evicts_ && !options_.damages) {
      RC_ASSERT(length == (options_.windows ? match : known));
      RC_ASSERT(sequence.blocks.known == known);
    }
    RC_ASSERT(length <= known);
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
        !f_.prefixes->Yield(sequence.blocks)) {
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
    CheckCut(length, origin->blocks.length, fork.blocks.length);
    fork.tokens.resize(fork.blocks.length);
    live_.push_back(std::move(fork));
  }

  void Truncate(const Operation& op) {
    WrittenSequence* sequence = Pick(op.a);
    if (sequence == nullptr) return;
    const std::size_t before = sequence->blocks.length;
    const std::size_t length = op.b % (before + 1);
    f_.cache.Trim(sequence->blocks, length);
    CheckCut(length, before, sequence->blocks.length);
    sequence->tokens.resize(sequence->blocks.length);
  }

  /// How many tokens are left of `before` that were cut off at `length`.
  void CheckCut(std::size_t length, std::size_t before, std::size_t left) const {
    RC_ASSERT(left <= length);
    if (!options_.windows || before == length) RC_ASSERT(left == length);
  }

  void Insert(const Operation& op) {
    WrittenSequence* sequence = Pick(op.a);
    if (sequence == nullptr) return;
    const std::size_t available = f_.cache.available();
    f_.prefixes->Insert(sequence->name_space, sequence->tokens, sequence->blocks);
    RC_ASSERT(f_.cache.available() >= available);
    remembered_.emplace_back(sequence->name_space, sequence->tokens);
    const std::size_t length = sequence->tokens.size();
    const std::size_t match = f_.prefixes->Match(sequence->name_space, sequence->tokens, length);
    RC_ASSERT(match <= length);
    // Another text's block may have no windows, and it can't get those of an open one.
    if (!options_.windows) RC_ASSERT(match == length);
  }

  void Release(const Operation& op) {
    if (live_.empty()) return;
    const auto it = live_.begin() + op.a % live_.size();
    f_.cache.Trim(it->blocks, 0);
    live_.erase(it);
  }

  void CheckedEvict(std::size_t bytes) {
    const std::size_t available = f_.cache.available();
    const std::size_t evictable = f_.prefixes->evictable();
    const std::size_t given = f_.prefixes->Evict(bytes);
    const std::size_t wanted = std::min(evictable, std::max(bytes, available) - available);
    RC_ASSERT(f_.cache.available() == available + given);
    RC_ASSERT(given >= wanted);
    RC_ASSERT(given < wanted + f_.cache.block_bytes());
    RC_ASSERT(f_.prefixes->evictable() == evictable - given);
  }
  void Evict(const Operation& op) {
    if (evicts_) CheckedEvict(std::size_t{op.b} * op.a % (f_.cache.capacity() + 1));
  }

  /// The process ends, and another one begins.
  void Restart(const Operation& op) {
    while (!live_.empty()) Release({});
    if (!options_.damages || op.b % 2 == 0) RC_ASSERT(f_.prefixes->Save().has_value());
    RC_ASSERT(f_.prefixes->stats().stored_bytes <= options_.stored_bytes);
    if (options_.damages && op.b % 3 == 0) folder_.DamageOne(op.c);
    f_.Restart(folder_.path(), options_.stored_bytes);
    RC_ASSERT(options_.damages || f_.warnings.empty());
    RC_ASSERT(f_.cache.available() == f_.cache.capacity());
  }

  void Drop(const Operation& op) {
    const std::string name_space = NameSpace(op.b);
    f_.prefixes->Drop(name_space);
    std::erase_if(remembered_, [&](const auto& known) { return known.first == name_space; });
  }

  WorldOptions options_;
  TemporaryFolder folder_;
  Fixture f_;
  bool evicts_;
  std::vector<WrittenSequence> live_;
  std::vector<Tokens> texts_;
  std::vector<std::pair<std::string, Tokens>> remembered_;
};

inline rc::Gen<std::vector<Operation>> Operations() {
  const auto argument = rc::gen::inRange(0u, 100000u);
  return rc::gen::scale(2.0, rc::gen::container<std::vector<Operation>>(rc::gen::apply(
                                 [](unsigned kind, unsigned a, unsigned b, unsigned c) {
                                   return Operation{kind, a, b, c};
                                 },
                                 rc::gen::inRange(0u, 10u), argument, argument, argument)));
}

}  // namespace ergo::runtime::testing
