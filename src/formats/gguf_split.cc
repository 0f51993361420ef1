#include "formats/gguf_split.h"

#include <fmt/format.h>

#include <charconv>

namespace ergo::formats {
namespace {

std::optional<std::uint32_t> FiveDigits(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<SplitName> ParseSplitName(std::string_view path) {
  constexpr std::string_view kShape = "-00001-of-00001.gguf";
  if (path.size() < kShape.size()) return std::nullopt;
  const std::string_view tail = path.substr(path.size() - kShape.size());
  if (tail[0] != '-' || tail.substr(6, 4) != "-of-" || tail.substr(15) != ".gguf") {
    return std::nullopt;
  }
  const auto part = FiveDigits(tail.substr(1, 5));
  const auto count = FiveDigits(tail.substr(10, 5));
  if (!part || !count || *part < 1 || *part > *count) return std::nullopt;
  return SplitName{std::string(path.substr(0, path.size() - kShape.size())), *part, *count};
}

std::string SplitPath(const SplitName& name, std::uint32_t part) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", name.prefix, part, name.count);
}

}  // namespace ergo::formats
