#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "cli/suggest.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kWidth = 96;

struct Row {
  std::string left;
  std::string help;
  bool further = false;
};

std::vector<std::string> SplitAt(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

template <typename T>
std::optional<T> ParseNumber(const std::string& text, Range range) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const double as_double = static_cast<double>(value);
  const bool fine = error == std::errc() && stop == end && !std::isnan(as_double) &&
                    as_double >= range.low && as_double <= range.high;
  return fine ? std::optional<T>(value) : std::nullopt;
}

std::string Describe(Range range, bool whole) {
  const char* kind = whole ? "a whole number" : "a number";
  if (range.high >= 1e15) return fmt::format("{} of at least {:g}", kind, range.low);
  return fmt::format("{} from {:.15g} to {:.15g}", kind, range.low, range.high);
}

}  // namespace

struct Options::Impl {
  CLI::App app;
  std::vector<Row> rows;
  std::vector<std::string> notes;
  std::vector<std::string> spellings;
  std::string error;  ///< the first value that was refused
  bool help = false;
  bool help_all = false;
  bool further = false;  ///< whether options declared now are shown in the long help only
  std::vector<std::string>* arguments = nullptr;
  std::size_t least_arguments = 0;
  std::size_t most_arguments = 0;

  void Show(const std::string& names, const std::string& metavar, const std::string& text) {
    std::string left;
    for (const std::string& name : SplitAt(names, ',')) {
      spellings.push_back(name);
      left += (left.empty() ? "" : ", ") + name;
    }
    if (!names.starts_with("-") || names.starts_with("--")) left.insert(0, "    ");
    if (!metavar.empty()) left += " " + metavar;
    rows.push_back({left, text, further});
  }

  /// `take` gets the text of one value and says whether it is acceptable.
  template <typename Take>
  void Value(const std::string& names, const std::string& wanted, Take take) {
    CLI::callback_t callback = [this, wanted, take, names](const CLI::results_t& values) {
      for (const std::string& value : values) {
        if (take(value) || !error.empty()) continue;
        error = fmt::format("{}: '{}' is not {}", SplitAt(names, ',').back(), value, wanted);
      }
      return true;
    };
    app.add_option(names, callback)
        ->type_size(1)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  template <typename T>
  void OneNumber(const std::string& names, std::optional<T>* target, Range range) {
    const bool whole = std::is_integral_v<T>;
    Value(names, Describe(range, whole), [target, range](const std::string& text) {
      const std::optional<T> value = ParseNumber<T>(text, range);
      if (value) *target = value;
      return value.has_value();
    });
  }
};

Options::Options() : impl_(std::make_unique<Impl>()) {
  impl_->app.set_help_flag("");
  impl_->app.allow_extras();
  Flag("-h,--help", &impl_->help, "show this");
}

Options::~Options() = default;

void Options::Flag(const std::string& names, bool* target, const std::string& help) {
  impl_->Show(names, "", help);
  impl_->app.add_flag(names, *target);
}

void Options::Text(const std::string& names, std::string* target, const std::string& metavar,
                   const std::string& help) {
  impl_->Show(names, metavar, help);
  impl_->Value(names, "text", [target](const std::string& text) {
    *target = text;
    return true;
  });
}

void Options::Texts(const std::string& names, std::vector<std::string>* target,
                    const std::string& metavar, const std::string& help) {
  impl_->Show(names, metavar, help);
  impl_->Value(names, "text", [target](const std::string& text) {
    target->push_back(text);
    return true;
  });
}

void Options::Choice(const std::string& names, std::string* target, const std::string& choices,
                     const std::string& help) {
  impl_->Show(names, choices, help);
  const std::vector<std::string> words = SplitAt(choices, '|');
  impl_->Value(names, "one of " + choices, [target, words](const std::string& text) {
    if (std::find(words.begin(), words.end(), text) == words.end()) return false;
    *target = text;
    return true;
  });
}

void Options::Number(const std::string& names, std::optional<std::int64_t>* target,
                     const std::string& metavar, const std::string& help, Range range) {
  impl_->Show(names, metavar, help);
  impl_->OneNumber(names, target, range);
}

void Options::Number(const std::string& names, std::optional<double>* target,
                     const std::string& metavar, const std::string& help, Range range) {
  impl_->Show(names, metavar, help);
  impl_->OneNumber(names, target, range);
}

void Options::Numbers(const std::string& names, std::vector<std::int64_t>* target,
                      const std::string& metavar, const std::string& help, Range range) {
  impl_->Show(names, metavar, help);
  impl_->Value(names, Describe(range, true), [target, range](const std::string& text) {
    for (const std::string& part : SplitAt(text, ',')) {
      const std::optional<std::int64_t> value = ParseNumber<std::int64_t>(part, range);
      if (!value) return false;
      target->push_back(*value);
    }
    return true;
  });
}

void Options::Bytes(const std::string& names, std::optional<std::uint64_t>* target,
                    const std::string& help) {
  impl_->Show(names, "SIZE", help);
  impl_->Value(names, "a size such as 512M or 2G", [target](const std::string& text) {
    constexpr std::string_view kUnits = "KMGT";
    std::string number = text;
    std::size_t shift = 0;
    if (!number.empty() && kUnits.find(number.back()) != std::string_view::npos) {
      shift = 10 * (kUnits.find(number.back()) + 1);
      number.pop_back();
    }
    const auto value = ParseNumber<std::int64_t>(number, {1, 0x1p20});
    const auto plain = ParseNumber<std::int64_t>(number, {1, 0x1p50});
    if (!(shift == 0 ? plain : value)) return false;
    *target = static_cast<std::uint64_t>(*plain) << shift;
    return true;
  });
}

void Options::Arguments(std::vector<std::string>* target, std::size_t least, std::size_t most) {
  impl_->arguments = target;
  impl_->least_arguments = least;
  impl_->most_arguments = most;
  impl_->app.add_option("arguments", *target);
}

void Options::Further() {
  Flag("--help-all", &impl_->help_all, "explain all options");
  impl_->further = true;
}

void Options::Note(const std::string& line) { impl_->notes.push_back(line); }

Result<Options::Outcome> Options::Parse(const std::vector<std::string>& words) {
  try {
    // CLI11 takes the words from the back.
    impl_->app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();
    return Fail(text.substr(0, text.find(':')) + " needs a value");
  } catch (const CLI::ParseError& error) {
    return Fail(error.what());
  }
  if (impl_->help_all) return Outcome::kHelpAll;
  if (impl_->help) return Outcome::kHelp;
  for (const std::string& word : impl_->app.remaining()) {
    if (word == "--") continue;  // CLI11 keeps the separator
    if (!word.starts_with("-")) return Fail(fmt::format("'{}' is one argument too many", word));
    const std::string name = word.substr(0, word.find('='));
    const auto nearest = Nearest(name, Spellings());
    return Fail(fmt::format("there is no option {}", name), "",
                nearest ? fmt::format("did you mean {}?", *nearest)
                        : "put -- before a text that begins with a dash");
  }
  if (!impl_->error.empty()) return Fail(impl_->error);
  if (impl_->arguments && impl_->arguments->size() > impl_->most_arguments) {
    return Fail(
        fmt::format("'{}' is one argument too many", (*impl_->arguments)[impl_->most_arguments]));
  }
  if (impl_->arguments && impl_->arguments->size() < impl_->least_arguments) {
    return Fail("an argument is missing");
  }
  return Outcome::kRun;
}

std::string Options::Help(bool all) const {
  std::size_t width = 0;
  for (const Row& row : impl_->rows) {
    if (all || !row.further) width = std::max(width, row.left.size());
  }
  std::string text;
  const auto add = [&](const Row& row) {
    text += fmt::format("  {:<{}}  {}\n", row.left, width, row.help);
  };
  std::string further;
  std::string line = "Further:";
  // --help was declared first and belongs last.
  std::for_each(impl_->rows.begin() + 1, impl_->rows.end(), [&](const Row& row) {
    if (all || !row.further) return add(row);
    std::string name;  // without its metavar
    for (const std::string& word : SplitAt(row.left, ' ')) {
      if (word.starts_with('-')) name += (name.empty() ? "" : " ") + word;
    }
    if (line.size() + name.size() + 2 > kWidth) {
      further += line + '\n';
      line = "        ";
    }
    line += ' ' + name + (&row == &impl_->rows.back() ? "" : ",");
  });
  add(impl_->rows.front());
  if (line != "Further:") text += '\n' + further + line + '\n';
  if (!impl_->notes.empty()) text += '\n';
  for (const std::string& note : impl_->notes) text += note + '\n';
  return text;
}

std::vector<std::string> Options::Spellings() const {
  std::vector<std::string> sorted = impl_->spellings;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace ergo::cli
