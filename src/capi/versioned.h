// Structs that grow: a program and the library may have been compiled with different versions of
// one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "capi/boundary.h"

namespace ergo::capi {

/// Bytes of the struct's first version, from which on programs exist: it never changes.
template <typename T>
inline constexpr std::size_t kFirstSize = 0;
template <>
inline constexpr std::size_t kFirstSize<ergo_model_options> = 48;
template <>
inline constexpr std::size_t kFirstSize<ergo_model_info> = 48;
template <>
inline constexpr std::size_t kFirstSize<ergo_stats> = 120;
template <>
inline constexpr std::size_t kFirstSize<ergo_chat_options> = 32;
template <>
inline constexpr std::size_t kFirstSize<ergo_sequence_options> = 128;
template <>
inline constexpr std::size_t kFirstSize<ergo_end> = 56;

/// No struct will ever be larger than this; a larger size was never set.
inline constexpr std::size_t kMostSize = 4096;

template <typename T>
Outcome<std::size_t> CheckSize(const T* given, const char* argument) {
  static_assert(sizeof(T) >= kFirstSize<T> && kFirstSize<T> > 0);
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof(size));
  if (size >= kFirstSize<T> && size <= kMostSize) return size;
  return Invalid(
      "its size says " + std::to_string(size) + " bytes, not " + std::to_string(sizeof(T)),
      argument, "set size to sizeof of the struct, or call its _init function");
}

/// Options that a caller gives: fields that the caller's version lacks are those of `defaults`.
/// Failures: a size that can't be; fields of a later version that are not 0.
template <typename T>
Outcome<T> ReadStruct(const T* given, T defaults, const char* argument) {
  if (given == nullptr) return defaults;
  const auto size = CheckSize(given, argument);
  if (!size) return tl::unexpected(size.error());
  const auto* bytes = reinterpret_cast<const char*>(given);
  const bool unknown = *size > sizeof(T) &&
                       std::any_of(bytes + sizeof(T), bytes + *size, [](char c) { return c != 0; });
  if (unknown) {
    return Invalid("it asks for something that this version of the library doesn't know", argument,
                   std::string("the library is ") + ergo_version());
  }
  std::memcpy(&defaults, bytes, std::min(*size, sizeof(T)));
  defaults.size = sizeof(T);
  return defaults;
}

/// Fills what the caller's version has of `values`; the rest of it becomes 0.
template <typename T>
Outcome<ergo_status> WriteStruct(const T& values, T* out, const char* argument) {
  const auto size = CheckSize(out, argument);
  if (!size) return tl::unexpected(size.error());
  auto* bytes = reinterpret_cast<char*>(out);
  const auto* from = reinterpret_cast<const char*>(&values);
  const std::size_t known = std::min(*size, sizeof(T));
  std::memcpy(bytes + sizeof(std::size_t), from + sizeof(std::size_t), known - sizeof(std::size_t));
  std::memset(bytes + known, 0, *size - known);
  return ERGO_OK;
}

/// For the _init functions: `size` is what the caller's version has.
template <typename T>
void InitStruct(T defaults, T* out, std::size_t size) {
  if (out == nullptr || size < sizeof(std::size_t) || size > kMostSize) return;
  defaults.size = size;
  auto* bytes = reinterpret_cast<char*>(out);
  const std::size_t known = std::min(size, sizeof(T));
  std::memcpy(bytes, &defaults, known);
  std::memset(bytes + known, 0, size - known);
}

}  // namespace ergo::capi
