#include "tensor/dtype.h"

#include <array>

namespace ergo {
namespace {

/// In the order of the enumeration.
constexpr std::array kTypes = {
    DTypeInfo{"BOOL", 1, 1, -1},     DTypeInfo{"U8", 1, 1, -1},
    DTypeInfo{"I8", 1, 1, 24},       DTypeInfo{"U16", 1, 2, -1},
    DTypeInfo{"I16", 1, 2, 25},      DTypeInfo{"U32", 1, 4, -1},
    DTypeInfo{"I32", 1, 4, 26},      DTypeInfo{"U64", 1, 8, -1},
    DTypeInfo{"I64", 1, 8, 27},      DTypeInfo{"F8_E4M3", 1, 1, -1},
    DTypeInfo{"F8_E5M2", 1, 1, -1},  DTypeInfo{"F16", 1, 2, 1},
    DTypeInfo{"BF16", 1, 2, 30},     DTypeInfo{"F32", 1, 4, 0},
    DTypeInfo{"F64", 1, 8, 28},      DTypeInfo{"Q2_K", 256, 84, 10},
    DTypeInfo{"Q3_K", 256, 110, 11}, DTypeInfo{"Q4_0", 32, 18, 2},
    DTypeInfo{"Q4_1", 32, 20, 3},    DTypeInfo{"Q4_K", 256, 144, 12},
    DTypeInfo{"Q5_0", 32, 22, 6},    DTypeInfo{"Q5_1", 32, 24, 7},
    DTypeInfo{"Q5_K", 256, 176, 13}, DTypeInfo{"Q6_K", 256, 210, 14},
    DTypeInfo{"Q8_0", 32, 34, 8},
};
static_assert(kTypes.size() == static_cast<std::size_t>(DType::kQ8_0) + 1);

}  // namespace

const DTypeInfo& Info(DType dtype) { return kTypes[static_cast<std::size_t>(dtype)]; }

std::optional<DType> DTypeFromGguf(std::uint32_t ggml_type) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i].gguf_id >= 0 && static_cast<std::uint32_t>(kTypes[i].gguf_id) == ggml_type) {
      return static_cast<DType>(i);
    }
  }
  return std::nullopt;
}

std::optional<DType> DTypeFromName(std::string_view name) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> BytesFor(DType dtype, std::uint64_t elements) {
  const DTypeInfo& info = Info(dtype);
  if (elements % info.block_elements != 0) return std::nullopt;
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(elements / info.block_elements, info.block_bytes, &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace ergo
