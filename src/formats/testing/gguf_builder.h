// Builds GGUF files for tests, good and bad ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "formats/gguf.h"

namespace ergo::formats::testing {

/// The bytes of a number.
template <typename T>
std::string Raw(T value) {
  static_assert(std::is_arithmetic_v<T>);
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// A string as the file holds it: its length and characters.
inline std::string Text(const std::string& text) { return Raw<std::uint64_t>(text.size()) + text; }

/// The payload of an array value: its header and `elements`, already encoded.
inline std::string Array(GgufType type, std::uint64_t count, const std::string& elements) {
  return Raw(static_cast<std::uint32_t>(type)) + Raw(count) + elements;
}

/// Writes what it is told, sensible or not.
struct GgufBuilder {
  struct Key {
    std::string name;
    std::uint32_t type = 0;
    std::string payload;
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> extents;  ///< innermost first, as in the file
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
  };

  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::optional<std::uint64_t> key_count;
  std::optional<std::uint64_t> tensor_count;
  std::vector<Key> keys;
  std::vector<Tensor> tensors;
  std::string data;
  std::size_t alignment = 32;

  void Add(const std::string& key, GgufType type, const std::string& payload) {
    keys.push_back({key, static_cast<std::uint32_t>(type), payload});
  }

  std::string Build() const {
    std::string out = magic + Raw(version);
    out += Raw<std::uint64_t>(tensor_count.value_or(tensors.size()));
    out += Raw<std::uint64_t>(key_count.value_or(keys.size()));
    for (const Key& key : keys) out += Text(key.name) + Raw(key.type) + key.payload;
    for (const Tensor& tensor : tensors) {
      out += Text(tensor.name) + Raw(static_cast<std::uint32_t>(tensor.extents.size()));
      for (const std::uint64_t extent : tensor.extents) out += Raw(extent);
      out += Raw(tensor.type) + Raw(tensor.offset);
    }
    while (out.size() % alignment != 0) out += '\0';
    return out + data;
  }
};

}  // namespace ergo::formats::testing
