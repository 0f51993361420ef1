// The options of one command: declared once, used for parsing, help and completion.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ergo::cli {

/// Bounds of a number, both included.
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::max();
};

/// Names are written "-n,--max-tokens". The targets must live until Parse has returned.
class Options {
 public:
  Options();
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void Flag(const std::string& names, bool* target, const std::string& help);

  /// An option with a value, shown as `metavar`. The last one given counts.
  void Text(const std::string& names, std::string* target, const std::string& metavar,
            const std::string& help);
  /// May be given several times.
  void Texts(const std::string& names, std::vector<std::string>* target, const std::string& metavar,
             const std::string& help);
  /// One word of a fixed set; the metavar is the set: "stop|drop".
  void Choice(const std::string& names, std::string* target, const std::string& choices,
              const std::string& help);
  void Number(const std::string& names, std::optional<std::int64_t>* target,
              const std::string& metavar, const std::string& help, Range range = {});
  void Number(const std::string& names, std::optional<double>* target, const std::string& metavar,
              const std::string& help, Range range = {});
  void Numbers(const std::string& names, std::vector<std::int64_t>* target,
               const std::string& metavar, const std::string& help, Range range = {});

  /// A number of bytes, which may end in K, M, G or T (powers of 1024).
  void Bytes(const std::string& names, std::optional<std::uint64_t>* target,
             const std::string& help);

  /// The words that are not options, `least` to `most` of them.
  void Arguments(std::vector<std::string>* target, std::size_t least, std::size_t most);

  /// Options that are declared from here on are only named in the short help; --help-all explains
  /// them.
  void Further();

  /// A line under the options in the help.
  void Note(const std::string& line);

  enum class Outcome { kRun, kHelp, kHelpAll };
  /// Reads the words after the command's name. Errors say which word is wrong and which option is
  /// nearest to it.
  Result<Outcome> Parse(const std::vector<std::string>& words);

  /// Two columns, one line for each option, at most 100 characters wide.
  std::string Help(bool all = false) const;

  /// All spellings, with their dashes, sorted.
  std::vector<std::string> Spellings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ergo::cli
