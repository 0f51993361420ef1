// Reading of metadata values; gguf.cc has checked that they lie inside the file.
#include <cmath>
#include <cstring>
#include <limits>

#include "formats/gguf.h"

namespace ergo::formats {
namespace {

template <typename T>
T Load(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

/// Calls `use` with the number of type `type` at `p`; false when it is no number or bool.
template <typename Use>
bool WithNumber(GgufType type, const std::byte* p, Use&& use) {
  switch (type) {
    case GgufType::kU8:
      return use(Load<std::uint8_t>(p)), true;
    case GgufType::kI8:
      return use(Load<std::int8_t>(p)), true;
    case GgufType::kU16:
      return use(Load<std::uint16_t>(p)), true;
    case GgufType::kI16:
      return use(Load<std::int16_t>(p)), true;
    case GgufType::kU32:
      return use(Load<std::uint32_t>(p)), true;
    case GgufType::kI32:
      return use(Load<std::int32_t>(p)), true;
    case GgufType::kF32:
      return use(Load<float>(p)), true;
    case GgufType::kBool:
      return use(Load<std::uint8_t>(p)), true;
    case GgufType::kU64:
      return use(Load<std::uint64_t>(p)), true;
    case GgufType::kI64:
      return use(Load<std::int64_t>(p)), true;
    case GgufType::kF64:
      return use(Load<double>(p)), true;
    default:
      return false;
  }
}

/// `value` as a 64-bit integer, when it is one exactly.
template <typename T>
std::optional<std::int64_t> ExactInt(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    // 2^63 is exact in both types; NaN fails the comparison.
    if (!(value >= -0x1p63 && value < 0x1p63) || std::trunc(value) != value) return std::nullopt;
    return static_cast<std::int64_t>(value);
  } else {
    if constexpr (std::is_same_v<T, std::uint64_t>) {
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return std::nullopt;
      }
    }
    return static_cast<std::int64_t>(value);
  }
}

/// Bytes of one number; 0 for strings and arrays.
std::size_t NumberBytes(GgufType type) {
  static constexpr std::byte kZeros[8] = {};
  std::size_t bytes = 0;
  WithNumber(type, kZeros, [&](auto number) { bytes = sizeof(number); });
  return bytes;
}

bool IsFloat(GgufType type) { return type == GgufType::kF32 || type == GgufType::kF64; }

}  // namespace

std::optional<std::int64_t> GgufValue::Int() const {
  std::optional<std::int64_t> result;
  if (bytes.size() != NumberBytes(type)) return result;
  WithNumber(type, bytes.data(), [&](auto number) { result = ExactInt(number); });
  return result;
}

std::optional<double> GgufValue::Float() const {
  std::optional<double> result;
  if (bytes.size() != NumberBytes(type)) return result;
  WithNumber(type, bytes.data(), [&](auto number) { result = static_cast<double>(number); });
  return result;
}

std::optional<bool> GgufValue::Bool() const {
  if (type != GgufType::kBool || bytes.size() != 1) return std::nullopt;
  return bytes[0] != std::byte{0};
}

std::optional<std::string_view> GgufValue::String() const {
  if (type != GgufType::kString) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::optional<std::vector<std::string_view>> GgufValue::Strings() const {
  if (type != GgufType::kArray || element_type != GgufType::kString) return std::nullopt;
  if (count > bytes.size() / sizeof(std::uint64_t)) return std::nullopt;
  std::vector<std::string_view> strings;
  strings.reserve(count);
  std::span<const std::byte> rest = bytes;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (rest.size() < sizeof(std::uint64_t)) return std::nullopt;
    const auto length = Load<std::uint64_t>(rest.data());
    rest = rest.subspan(sizeof(std::uint64_t));
    if (length > rest.size()) return std::nullopt;
    strings.emplace_back(reinterpret_cast<const char*>(rest.data()), length);
    rest = rest.subspan(length);
  }
  return strings;
}

std::optional<std::vector<std::int64_t>> GgufValue::Ints() const {
  const std::size_t size = NumberBytes(element_type);
  if (type != GgufType::kArray || size == 0 || IsFloat(element_type)) return std::nullopt;
  if (bytes.size() / size != count) return std::nullopt;
  std::vector<std::int64_t> values;
  values.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::optional<std::int64_t> value;
    WithNumber(element_type, &bytes[i * size], [&](auto number) { value = ExactInt(number); });
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

std::optional<std::vector<float>> GgufValue::Floats() const {
  if (type != GgufType::kArray || !IsFloat(element_type)) return std::nullopt;
  const std::size_t size = NumberBytes(element_type);
  if (bytes.size() / size != count) return std::nullopt;
  std::vector<float> values(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    WithNumber(element_type, &bytes[i * size],
               [&](auto number) { values[i] = static_cast<float>(number); });
  }
  return values;
}

}  // namespace ergo::formats
