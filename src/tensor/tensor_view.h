// A named tensor that somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor/dtype.h"

namespace ergo {

/// Row-major, contiguous; shape is outermost first ([outputs, inputs] for a linear layer), whatever
/// order the file writes it in. Block formats run along the last dimension.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;

  std::int64_t elements() const {
    std::int64_t n = 1;
    for (const std::int64_t d : shape) n *= d;
    return n;
  }
};

}  // namespace ergo
