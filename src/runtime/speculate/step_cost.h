// What a step costs by its number of rows, as measured.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ergo::runtime {

/// Learns the seconds of a decoding step of r rows from the steps that are run. Steps get slower
/// and faster together (contexts grow, the machine is busy): each sample moves the level of all of
/// them, and what it says about its own number of rows beside that; so ratios stay right though
/// only a few numbers of rows are seen at a time. One thread at a time.
class StepCost {
 public:
  static constexpr std::size_t kMostRows = 256;  ///< beyond, the cost grows as it did up to there

  /// A step of `rows` rows, none of them of a prompt, took `seconds`. What can't be is ignored.
  void Record(std::size_t rows, double seconds);

  /// Cost of a step of `rows` rows in units of one of a single row. Between measured numbers it is
  /// interpolated; before anything is measured, and beyond, each row adds at least kRowShare.
  double Relative(std::size_t rows) const;
  /// Seconds of a step of a single row; 0: nothing measured.
  double RowSeconds() const;
  /// The largest number of rows that was measured; 0: none.
  std::size_t largest() const { return largest_; }
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  /// Steps recorded since one of `rows` rows, or of at least half as many, was; kNever if there
  /// were too few of them to know their cost.
  std::uint64_t StepsSince(std::size_t rows) const;

  static constexpr double kRowShare = 0.05;

 private:
  struct Entry {
    double log_cost = 0.0;  ///< beside the level
    std::uint32_t samples = 0;
    std::uint64_t last = 0;  ///< step of the last sample
  };
  double RawCost(std::size_t rows) const;

  std::array<Entry, kMostRows + 1> entries_{};
  double level_ = 0.0;  ///< logarithm of seconds
  std::uint64_t steps_ = 0;
  std::size_t largest_ = 0;
};

}  // namespace ergo::runtime
