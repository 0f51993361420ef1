// A folder of a test with files that it may damage, gone when the test ends.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace ergo::runtime::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string shape = (std::filesystem::temp_directory_path() / "ergo-kv-XXXXXX").string();
    path_ = ::mkdtemp(shape.data()) == nullptr ? std::string() : shape;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

  /// All files in it and its folders whose names end so.
  std::vector<std::string> Files(const std::string& suffix = "") const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      const std::string name = entry.path().string();
      if (entry.is_regular_file() && name.ends_with(suffix)) files.push_back(name);
    }
    return files;
  }

  static std::string Read(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void Write(const std::string& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }

  /// Flips a bit of some file, or cuts it off.
  void DamageOne(unsigned seed) const {
    const std::vector<std::string> files = Files();
    if (files.empty()) return;
    const std::string& file = files[seed % files.size()];
    std::string bytes = Read(file);
    const std::size_t place = seed * std::size_t{2654435761} % bytes.size();
    if (seed % 2 == 0) {
      bytes.resize(place);
    } else {
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << seed / 2 % 8));
    }
    Write(file, bytes);
  }

 private:
  std::string path_;
};

}  // namespace ergo::runtime::testing
