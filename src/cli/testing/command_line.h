// Runs the command line inside a test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "cli/cli.h"

namespace ergo::cli::testing {

struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};

/// What stands on standard input while the object lives; a file, so that no writer can block.
class Input {
 public:
  explicit Input(const std::string& text) : file_(std::tmpfile()), saved_(::dup(STDIN_FILENO)) {
    if (!file_) return;
    std::fwrite(text.data(), 1, text.size(), file_);
    std::rewind(file_);
    ::dup2(::fileno(file_), STDIN_FILENO);
  }
  ~Input() {
    if (saved_ >= 0) {
      ::dup2(saved_, STDIN_FILENO);
      ::close(saved_);
    }
    if (file_) std::fclose(file_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

 private:
  std::FILE* file_;
  int saved_;
};

/// `ergo WORDS < INPUT`.
inline Ran Execute(const std::vector<std::string>& words, const std::string& input = "") {
  const Input standard_input(input);
  std::vector<const char*> argv = {"ergo"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Ran ran;
  ran.status = Main(static_cast<int>(argv.size()), argv.data());
  ran.out = ::testing::internal::GetCapturedStdout();
  ran.err = ::testing::internal::GetCapturedStderr();
  return ran;
}

/// The error of work that could not be done: one line on stderr, nothing on stdout, status 1.
inline std::string ErrorLine(const std::vector<std::string>& words, const std::string& input = "") {
  const Ran ran = Execute(words, input);
  EXPECT_EQ(ran.status, kError);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err.find('\n'), ran.err.size() - 1) << ran.err;
  const std::string prefix = "error: ";
  if (!ran.err.starts_with(prefix) || ran.err.size() < prefix.size() + 1) {
    ADD_FAILURE() << "no error line: " << ran.err;
    return "";
  }
  return ran.err.substr(prefix.size(), ran.err.size() - prefix.size() - 1);
}

}  // namespace ergo::cli::testing
