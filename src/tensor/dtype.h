// Number formats: what an element or a block of elements is called and how many bytes it takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ergo {

/// Plain element types (safetensors names) and the block formats of GGUF.
enum class DType : std::uint8_t {
  kBool,
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kU64,
  kI64,
  kF8E4M3,
  kF8E5M2,
  kF16,
  kBF16,
  kF32,
  kF64,
  kQ2K,
  kQ3K,
  kQ4_0,
  kQ4_1,
  kQ4K,
  kQ5_0,
  kQ5_1,
  kQ5K,
  kQ6K,
  kQ8_0,
};

struct DTypeInfo {
  std::string_view name;         ///< "F32", "Q4_K", …
  std::uint32_t block_elements;  ///< 1 for plain types.
  std::uint32_t block_bytes;
  int gguf_id;  ///< ggml_type number, or -1 where GGUF has none.
};

/// Never fails: every DType has a row.
const DTypeInfo& Info(DType dtype);

std::optional<DType> DTypeFromGguf(std::uint32_t ggml_type);
std::optional<DType> DTypeFromName(std::string_view name);

/// Bytes of `elements` in `dtype`, which must be whole blocks; nullopt when they are not, or when
/// the product overflows.
std::optional<std::uint64_t> BytesFor(DType dtype, std::uint64_t elements);

inline bool IsBlockFormat(DType dtype) { return Info(dtype).block_elements > 1; }

}  // namespace ergo
