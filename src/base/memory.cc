#include "base/memory.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

namespace ergo {
namespace {

std::optional<std::size_t> ReadNumber(const std::string& path) {
  std::ifstream file(path);
  std::size_t value = 0;
  if (file >> value) return value;
  return std::nullopt;  // also "max"
}

std::optional<std::size_t> SystemAvailable() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("MemAvailable:")) continue;
    std::size_t kilobytes = 0;
    if (std::istringstream(line.substr(13)) >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

/// What is left of one group and those above it. A group's own page cache counts as used there; it
/// can be had back, so only what isn't file pages counts here.
std::optional<std::size_t> GroupAvailable() {
  std::ifstream file("/proc/self/cgroup");
  std::string path;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) path = line.substr(3);
  }
  std::optional<std::size_t> least;
  while (!path.empty() && path != "/") {
    const std::string folder = "/sys/fs/cgroup" + path;
    const auto limit = ReadNumber(folder + "/memory.max");
    if (limit) {
      std::size_t used = 0;
      std::ifstream stat(folder + "/memory.stat");
      std::string key;
      std::size_t value = 0;
      while (stat >> key >> value) {
        if (key == "anon" || key == "kernel" || key == "shmem") used += value;
      }
      const std::size_t left = *limit > used ? *limit - used : 0;
      least = std::min(least.value_or(std::numeric_limits<std::size_t>::max()), left);
    }
    path = path.substr(0, path.rfind('/'));
  }
  return least;
}

}  // namespace

std::size_t AvailableMemory() {
  const auto system = SystemAvailable();
  const auto group = GroupAvailable();
  if (!system) return group.value_or(0);
  return std::min(*system, group.value_or(*system));
}

}  // namespace ergo
