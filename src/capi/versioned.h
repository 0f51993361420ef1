// Structs that grow: a program and the library may have been compiled with different versions of
// one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "capi/boundary.h"

namespace ergo::capi {

/// Bytes of a struct's first version, from which on programs exist: they never change.
constexpr std::size_t FirstSize(const ergo_model_options*) { return 48; }
constexpr std::size_t FirstSize(const ergo_model_info*) { return 48; }
constexpr std::size_t FirstSize(const ergo_stats*) { return 120; }
constexpr std::size_t FirstSize(const ergo_chat_options*) { return 32; }
constexpr std::size_t FirstSize(const ergo_sequence_options*) { return 128; }
constexpr std::size_t FirstSize(const ergo_end*) { return 56; }
constexpr std::size_t FirstSize(const ergo_inspect_options*) { return 88; }
constexpr std::size_t FirstSize(const ergo_inspected*) { return 104; }

/// No struct will ever be larger than this; a larger size was never set.
inline constexpr std::size_t kMostSize = 4096;

template <typename T>
Outcome<std::size_t> CheckSize(const T* given, const char* argument) {
  constexpr std::size_t kFirst = FirstSize(static_cast<const T*>(nullptr));
  static_assert(sizeof(T) >= kFirst);
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof(size));
  if (size >= kFirst && size <= kMostSize) return size;
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

/// Fills the `size` bytes that the caller's version has, the first of which say so; what this
/// version doesn't know of becomes 0.
template <typename T>
void CopyKnown(T values, T* out, std::size_t size) {
  values.size = size;
  const std::size_t known = std::min(size, sizeof(T));
  auto* bytes = reinterpret_cast<char*>(out);
  std::memcpy(bytes, &values, known);
  std::memset(bytes + known, 0, size - known);
}

template <typename T>
Outcome<ergo_status> WriteStruct(const T& values, T* out, const char* argument) {
  const auto size = CheckSize(out, argument);
  if (!size) return tl::unexpected(size.error());
  CopyKnown(values, out, *size);
  return ERGO_OK;
}

/// For the _init functions: `size` is what the caller's version has.
template <typename T>
void InitStruct(const T& defaults, T* out, std::size_t size) {
  if (out == nullptr || size < sizeof(std::size_t) || size > kMostSize) return;
  CopyKnown(defaults, out, size);
}

}  // namespace ergo::capi
