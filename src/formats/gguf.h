// GGUF versions 2 and 3: metadata and tensor directory of one file, read in place.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "base/result.h"
#include "tensor/tensor_view.h"

namespace ergo::formats {

/// Numbers of the file format.
enum class GgufType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

/// One metadata value, viewed in the mapped file. Strings are not checked for UTF-8.
class GgufValue {
 public:
  GgufType type = GgufType::kU8;          ///< kArray for arrays
  GgufType element_type = GgufType::kU8;  ///< of an array
  std::uint64_t count = 1;                ///< elements of an array
  /// The payload: a number's bytes, a string's characters, an array's elements without its header
  /// (of strings: each a 64-bit length and the characters). Not aligned.
  std::span<const std::byte> bytes;

  /// Any number or bool, as the wider type; nullopt for others or when it doesn't fit (Int of a
  /// fraction, of 2^63 and more).
  std::optional<std::int64_t> Int() const;
  std::optional<double> Float() const;
  std::optional<bool> Bool() const;
  std::optional<std::string_view> String() const;
  /// Arrays; nullopt when the elements are of another kind (Ints: integers and bools; Floats: F32
  /// and F64).
  std::optional<std::vector<std::string_view>> Strings() const;
  std::optional<std::vector<std::int64_t>> Ints() const;
  std::optional<std::vector<float>> Floats() const;
};

/// Key -> value, sorted.
using GgufMetadata = std::map<std::string, GgufValue, std::less<>>;

struct GgufFile {
  MappedFile file;  ///< empty after ParseGguf
  std::uint32_t version = 3;
  GgufMetadata metadata;
  std::vector<TensorView> tensors;  ///< in file order; shapes turned outermost first
};

/// Checks everything before use: magic, version, counts against the bytes that are there, key and
/// tensor names (unique, UTF-8), types, shapes, alignment, offsets inside the file, overlaps.
/// Errors name the file and the byte offset, key or tensor.
Result<GgufFile> ReadGguf(const std::string& path);

/// The same for bytes in memory, which must outlive the result; `path` is for messages.
Result<GgufFile> ParseGguf(std::span<const std::byte> bytes, const std::string& path);

}  // namespace ergo::formats
