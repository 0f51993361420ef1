// Systems of linear equations with one solution, in whole numbers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <string>

#include "base/text.h"
#include "reasoning/eval/families/all.h"
#include "reasoning/eval/number.h"
#include "reasoning/eval/random.h"

namespace ergo::reasoning::eval {

namespace {

constexpr std::size_t kLeast = 2;
constexpr std::size_t kMost = 4;
const std::array<const char*, kMost> kNames = {"x", "y", "z", "w"};

using Row = std::array<std::int64_t, kMost>;

struct System {
  std::size_t unknowns = 0;
  std::array<Row, kMost> rows = {};  ///< coefficients
  Row solution = {};
  Row sums = {};
};

/// By expansion along the first row of the columns that `free` still holds.
std::int64_t Determinant(const System& system, std::size_t row, unsigned free) {
  if (row == system.unknowns) return 1;
  std::int64_t value = 0;
  std::int64_t sign = 1;
  for (std::size_t column = 0; column < system.unknowns; ++column) {
    if ((free >> column & 1u) == 0) continue;
    value += sign * system.rows[row][column] * Determinant(system, row + 1, free & ~(1u << column));
    sign = -sign;
  }
  return value;
}

System DrawSystem(std::size_t unknowns, Random* random) {
  while (true) {
    System system;
    system.unknowns = unknowns;
    for (std::size_t i = 0; i < unknowns; ++i) system.solution[i] = random->Between(-9, 9);
    for (std::size_t i = 0; i < unknowns; ++i) {
      bool empty = true;
      for (std::size_t j = 0; j < unknowns; ++j) {
        system.rows[i][j] = random->Chance(20) ? 0 : random->Between(-6, 6);
        system.sums[i] += system.rows[i][j] * system.solution[j];
        empty = empty && system.rows[i][j] == 0;
      }
      if (empty) break;
    }
    if (Determinant(system, 0, (1u << unknowns) - 1) != 0) return system;
  }
}

std::string Equation(const System& system, std::size_t row) {
  std::string text;
  for (std::size_t j = 0; j < system.unknowns; ++j) {
    const std::int64_t factor = system.rows[row][j];
    if (factor == 0) continue;
    if (text.empty()) {
      text = factor < 0 ? "-" : "";
    } else {
      text += factor < 0 ? " - " : " + ";
    }
    const std::int64_t size = factor < 0 ? -factor : factor;
    if (size != 1) text += std::to_string(size);
    text += kNames[j];
  }
  return fmt::format("{} = {}", text, system.sums[row]);
}

/// The value that follows "x" and "=" (or ":") in a text such as "x = 3, y = -1".
std::optional<Fraction> ValueOf(std::string_view text, char name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    std::string_view rest = Trimmed(text.substr(at + 1));
    if (rest.empty() || (rest.front() != '=' && rest.front() != ':')) continue;
    rest = Trimmed(rest.substr(1));
    return ParseNumber(rest.substr(0, rest.find_first_of(",; \n\t)}$")));
  }
  return std::nullopt;
}

/// Values named, or in the order of the unknowns: "(3, -1)".
bool IsSolution(std::string_view text, const System& system) {
  if (text.find('=') != std::string_view::npos || text.find(':') != std::string_view::npos) {
    for (std::size_t i = 0; i < system.unknowns; ++i) {
      const std::optional<Fraction> value = ValueOf(text, *kNames[i]);
      if (!value || *value != Fraction(system.solution[i])) return false;
    }
    return true;
  }
  text = Trimmed(text);
  if (text.starts_with('(') && text.ends_with(')')) text = text.substr(1, text.size() - 2);
  for (std::size_t i = 0; i < system.unknowns; ++i) {
    const std::size_t comma = text.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == system.unknowns)) return false;
    const std::optional<Fraction> value = ParseNumber(text.substr(0, comma));
    if (!value || *value != Fraction(system.solution[i])) return false;
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return true;
}

Item MakeItem(std::size_t unknowns, std::uint64_t seed, std::size_t index) {
  const std::string name = fmt::format("linear-systems-{}", unknowns);
  Random random(seed, name, index);
  const System system = DrawSystem(unknowns, &random);
  std::vector<std::string> names(kNames.begin(), kNames.begin() + static_cast<int>(unknowns));
  std::vector<std::string> equations;
  std::vector<std::string> values;
  for (std::size_t i = 0; i < unknowns; ++i) {
    equations.push_back(Equation(system, i));
    values.push_back(fmt::format("{} = {}", kNames[i], system.solution[i]));
  }
  Item item;
  item.id = fmt::format("{}-s{}-{}", name, seed, index);
  item.question.text =
      fmt::format("Solve for {}:\n{}\nAnswer in the form {} = …", fmt::join(names, ", "),
                  fmt::join(equations, "\n"), fmt::join(names, " = …, "));
  item.question.kind = AnswerKind::kText;
  item.expected = fmt::format("{}", fmt::join(values, ", "));
  item.judge = [system](const Answer& answer) -> Result<Judgement> {
    if (Trimmed(answer.value).empty()) return Judgement::kNone;
    return IsSolution(answer.value, system) ? Judgement::kRight : Judgement::kWrong;
  };
  return item;
}

Result<std::vector<Item>> Load(const Selection& selection) {
  std::vector<std::size_t> sizes;
  for (const std::string& option : selection.options) {
    const auto size = static_cast<std::size_t>(option.empty() ? 0 : option[0] - '0');
    if (option.size() != 1 || size < kLeast || size > kMost) {
      return Fail("no such option: " + option, "linear-systems", "2, 3 or 4 (unknowns)");
    }
    sizes.push_back(size);
  }
  if (sizes.empty()) sizes = {2, 3, 4};
  std::vector<Item> items;
  for (std::size_t i = 0; i < selection.count; ++i) {
    items.push_back(MakeItem(sizes[i % sizes.size()], selection.seed, i));
  }
  return items;
}

}  // namespace

const Family kLinear = {"linear-systems", "linear equations with whole solutions",
                        "2, 3 or 4 unknowns (in turn)", false, Load};

}  // namespace ergo::reasoning::eval
