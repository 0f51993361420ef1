#include "formats/name_check.h"

#include <algorithm>

#include "base/utf8.h"

namespace ergo::formats {
namespace {

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

}  // namespace

std::optional<std::string> NameFault(std::string_view name, std::size_t max_bytes) {
  if (name.empty()) return "is empty";
  if (name.size() > max_bytes) return "is longer than " + std::to_string(max_bytes) + " bytes";
  if (FindInvalidUtf8(name)) return "is not UTF-8";
  if (HasControl(name)) return "holds control characters";
  return std::nullopt;
}

bool IsSafeRelativePath(std::string_view path) {
  if (NameFault(path, 1024) || path.find_first_of("\\:") != path.npos) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace ergo::formats
