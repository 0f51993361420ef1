// A folder for what a test keeps, gone when the test ends.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace ergo::serve::testing {

class CacheFolder {
 public:
  CacheFolder() {
    std::string shape = (std::filesystem::temp_directory_path() / "ergo-cache-XXXXXX").string();
    path_ = ::mkdtemp(shape.data()) == nullptr ? std::string() : shape;
  }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;
  ~CacheFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  static void Write(const std::string& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }

 private:
  std::string path_;
};

}  // namespace ergo::serve::testing
