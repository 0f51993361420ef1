// Names that come out of files: tensors, metadata keys, files of a repository.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ergo::formats {

/// Longest tensor name that any reader accepts, in bytes.
inline constexpr std::size_t kMaxTensorName = 1024;

/// Why `name` is not fit to name a tensor or key (empty, too long, not UTF-8, control characters),
/// in words that follow the quoted name: "is longer than 64 bytes". Nothing when it is fit.
std::optional<std::string> NameFault(std::string_view name, std::size_t max_bytes);

/// Whether `path` stays inside the folder it is joined to on every system: relative, no empty,
/// "." or ".." part, no backslash, colon or control character, at most 1024 bytes of UTF-8.
bool IsSafeRelativePath(std::string_view path);

}  // namespace ergo::formats
