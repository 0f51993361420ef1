// Countdown: make a target from some numbers, each used at most once.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/text.h"
#include "reasoning/eval/families/all.h"
#include "reasoning/eval/number.h"
#include "reasoning/eval/random.h"

namespace ergo::reasoning::eval {

namespace {

struct Game {
  std::size_t least = 3;
  std::size_t most = 5;
  bool twenty_four = false;
};

struct Puzzle {
  std::vector<std::int64_t> numbers;
  std::int64_t target = 0;
  std::string solution;
};

Result<Game> ReadOptions(const std::vector<std::string>& options) {
  Game game;
  for (const std::string& option : options) {
    if (option == "24") {
      game = {4, 4, true};
    } else if (option.size() == 1 && option[0] >= '3' && option[0] <= '6') {
      game.least = game.most = static_cast<std::size_t>(option[0] - '0');
    } else {
      return Fail("no such option: " + option, "countdown", "3 to 6 (how many numbers), or 24");
    }
  }
  return game;
}

struct Part {
  std::int64_t value = 0;
  std::string text;
  bool sum = false;  ///< needs parentheses under * and /
};

/// One operation on two parts that keeps to positive whole numbers.
std::optional<Part> Combine(const Part& a, const Part& b, Random* random) {
  const auto wrapped = [](const Part& part) {
    return part.sum ? "(" + part.text + ")" : part.text;
  };
  switch (random->Below(4)) {
    case 0:
      return Part{a.value + b.value, a.text + " + " + b.text, true};
    case 1:
      if (a.value <= b.value) return std::nullopt;
      return Part{a.value - b.value, a.text + " - " + wrapped(b), true};
    case 2:
      if (a.value * b.value > 10000) return std::nullopt;
      return Part{a.value * b.value, wrapped(a) + " * " + wrapped(b), false};
    default:
      if (b.value < 2 || a.value % b.value != 0) return std::nullopt;
      return Part{a.value / b.value, wrapped(a) + " / (" + b.text + ")", false};
  }
}

/// Numbers, and what a random expression in all of them comes to.
std::optional<Puzzle> DrawPuzzle(const Game& game, Random* random) {
  Puzzle puzzle;
  std::vector<Part> parts;
  const auto count = static_cast<std::size_t>(
      random->Between(static_cast<std::int64_t>(game.least), static_cast<std::int64_t>(game.most)));
  for (std::size_t i = 0; i < count; ++i) {
    // Mostly small numbers, as in the television game.
    const std::int64_t number = game.twenty_four     ? random->Between(1, 13)
                                : random->Chance(75) ? random->Between(1, 20)
                                                     : random->Between(21, 99);
    puzzle.numbers.push_back(number);
    parts.push_back({number, std::to_string(number), false});
  }
  while (parts.size() > 1) {
    random->Shuffle(&parts);
    const std::optional<Part> joined = Combine(parts[parts.size() - 2], parts.back(), random);
    if (!joined) return std::nullopt;
    parts.pop_back();
    parts.back() = *joined;
  }
  puzzle.target = parts.front().value;
  puzzle.solution = parts.front().text;
  const bool trivial = std::find(puzzle.numbers.begin(), puzzle.numbers.end(), puzzle.target) !=
                       puzzle.numbers.end();
  if (game.twenty_four ? puzzle.target != 24
                       : puzzle.target < 10 || puzzle.target > 999 || trivial) {
    return std::nullopt;
  }
  return puzzle;
}

/// The expression of an answer such as "(3 + 4) * 2 = 14".
std::string_view LeftSide(std::string_view text) {
  text = Trimmed(text);
  return Trimmed(text.substr(0, text.find('=')));
}

bool UsesEachOnce(std::vector<std::int64_t> used, std::vector<std::int64_t> given) {
  std::sort(used.begin(), used.end());
  std::sort(given.begin(), given.end());
  return std::includes(given.begin(), given.end(), used.begin(), used.end());
}

Judge MakeJudge(std::vector<std::int64_t> numbers, std::int64_t target) {
  return [numbers = std::move(numbers), target](const Answer& answer) -> Result<Judgement> {
    if (Trimmed(answer.value).empty()) return Judgement::kNone;
    const auto value = EvaluateExpression(LeftSide(answer.value));
    const bool right =
        value && value->value == Fraction(target) && UsesEachOnce(value->numbers, numbers);
    return right ? Judgement::kRight : Judgement::kWrong;
  };
}

Result<std::vector<Item>> Load(const Selection& selection) {
  const Result<Game> game = ReadOptions(selection.options);
  if (!game) return tl::unexpected(game.error());
  const std::string name = game->twenty_four           ? "countdown-24"
                           : game->least == game->most ? fmt::format("countdown-{}", game->least)
                                                       : "countdown";
  std::vector<Item> items;
  for (std::size_t i = 0; i < selection.count; ++i) {
    Random random(selection.seed, name, i);
    std::optional<Puzzle> puzzle;
    while (!puzzle) puzzle = DrawPuzzle(*game, &random);
    Item item;
    item.id = fmt::format("{}-s{}-{}", name, selection.seed, i);
    item.question.text = fmt::format(
        "Make {} from the numbers {}. Use +, -, * and / and parentheses; each number may be used "
        "at most once. Answer with one expression.",
        puzzle->target, fmt::join(puzzle->numbers, ", "));
    item.question.kind = AnswerKind::kText;
    item.expected = puzzle->solution;
    item.judge = MakeJudge(puzzle->numbers, puzzle->target);
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

const Family kCountdown = {"countdown", "make a target from some numbers", "3 to 6 numbers, or 24",
                           false, Load};

}  // namespace ergo::reasoning::eval
