// File names of split GGUF models: NAME-00001-of-00003.gguf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ergo::formats {

struct SplitName {
  std::string prefix;       ///< path before the numbers
  std::uint32_t part = 1;   ///< counted from 1
  std::uint32_t count = 1;  ///< at least 1
};

/// Nothing when the name does not end so or the numbers make no sense.
std::optional<SplitName> ParseSplitName(std::string_view path);

/// Path of part `part` (from 1).
std::string SplitPath(const SplitName& name, std::uint32_t part);

}  // namespace ergo::formats
