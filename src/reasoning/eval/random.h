// Numbers that depend on a seed alone, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace ergo::reasoning::eval {

/// SplitMix64 (Steele, Lea and Flood 2014). The distributions of the standard library differ from
/// one library to the next; these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// Of question `index` of what `name` names: independent of how many others are made.
  Random(std::uint64_t seed, std::string_view name, std::uint64_t index) : state_(seed) {
    for (const char byte : name) {
      state_ = Next() ^ static_cast<unsigned char>(byte);
    }
    state_ = Next() ^ index;
    Next();
  }

  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }

  /// 0 to n - 1; `n` is at least 1.
  std::size_t Below(std::size_t n) {
    // Without the bias of a remainder: values from the last, incomplete round are drawn again.
    const std::uint64_t rest = (UINT64_MAX % n + 1) % n;
    std::uint64_t drawn = Next();
    while (drawn > UINT64_MAX - rest) drawn = Next();
    return static_cast<std::size_t>(drawn % n);
  }
  /// Both bounds included.
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(Below(static_cast<std::size_t>(high - low) + 1));
  }
  bool Chance(unsigned percent) { return Below(100) < percent; }
  /// 0 to 1, the upper end excluded.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  template <typename Container>
  auto& Pick(Container& from) {
    return from[Below(std::size(from))];
  }
  template <typename T>
  void Shuffle(std::vector<T>* values) {
    for (std::size_t i = values->size(); i > 1; --i) {
      std::swap((*values)[i - 1], (*values)[Below(i)]);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace ergo::reasoning::eval
