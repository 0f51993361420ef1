// Which query vectors a thread takes together: made once for a step and a class of layers, and
// used by every layer of the class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/attention/task.h"

namespace ergo::kernels {

/// Rows of one sequence in a step: `rows` consecutive tokens that start at absolute position
/// `first_position`; they are rows first_row … of the step's arrays. blocks[p / 64] holds position
/// p for every p < first_position + rows.
struct SequenceRows {
  const std::int32_t* blocks;
  std::size_t first_position;
  std::size_t rows;
  std::size_t first_row;
};

/// The rows of a step in an order in which sequences that begin with the same blocks are
/// neighbours, cut into parts of about the same cost. A thread that goes through the blocks of a
/// part reads a block once for all neighbours that share it, at whatever depth they part: branches
/// of branches too.
class AttentionPlan {
 public:
  struct Shape {
    std::size_t group = 1;     ///< query heads of a KV head
    std::size_t kv_heads = 1;  ///< the parts are done for each of them
    std::size_t window = 0;    ///< 0: all; else a token sees itself and the window - 1 before it
    int threads = 1;           ///< to keep busy
  };
  struct Row {
    const std::int32_t* blocks;
    std::size_t position;
    std::size_t row;  ///< of the step's arrays
  };
  /// Vectors [begin, end), head v % group of row v / group.
  struct Part {
    std::size_t begin;
    std::size_t end;
    std::size_t cost;  ///< blocks times vectors
  };

  /// Keeps the block tables' addresses, not the span.
  void Make(std::span<const SequenceRows> sequences, const Shape& shape);

  const Shape& shape() const { return shape_; }
  std::span<const Row> rows() const { return rows_; }
  /// The most expensive ones first, so that threads which claim one after the other end together.
  std::span<const Part> parts() const { return parts_; }

 private:
  void Order(std::span<const SequenceRows> sequences);
  void Cut();

  Shape shape_;
  std::vector<Row> rows_;
  std::vector<Part> parts_;
  std::vector<std::size_t> order_;
};

}  // namespace ergo::kernels
