// What all number formats share: how the rows of a panel are reached while packing.
#pragma once

#include <cstddef>

namespace ergo::kernels {

/// The same block column of the 32 rows of a panel. Rows past the end of the matrix repeat the
/// last one: their results are never stored.
template <typename Block>
class PanelRows {
 public:
  PanelRows(const Block* first, std::size_t stride_blocks, int rows)
      : first_(first), stride_(stride_blocks), rows_(rows) {}

  const Block& operator[](int output) const {
    const int row = output < rows_ ? output : rows_ - 1;
    return first_[static_cast<std::size_t>(row) * stride_];
  }

 private:
  const Block* first_;
  std::size_t stride_;
  int rows_;
};

}  // namespace ergo::kernels
