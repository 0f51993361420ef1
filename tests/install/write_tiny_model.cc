// Writes the tests' tiny model into a folder: write_tiny_model FOLDER
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "generate/testing/tiny_model.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: write_tiny_model FOLDER\n", stderr);
    return 2;
  }
  const ergo::generate::testing::TinyFolder folder;
  std::error_code error;
  std::filesystem::copy(folder.path(), argv[1], std::filesystem::copy_options::recursive, error);
  if (error) std::fprintf(stderr, "%s: %s\n", argv[1], error.message().c_str());
  return error ? 1 : 0;
}
