// Knights, who always tell the truth, and knaves, who always lie: who is what? One solution each,
// made sure of by trying all.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <string>

#include "base/text.h"
#include "reasoning/eval/families/all.h"
#include "reasoning/eval/judges.h"
#include "reasoning/eval/number.h"
#include "reasoning/eval/random.h"

namespace ergo::reasoning::eval {

namespace {

constexpr std::size_t kFewest = 2;
constexpr std::size_t kMost = 6;

/// What one islander says. `a` and `b` are islanders, `count` a number of knights.
struct Statement {
  enum class Form { kIs, kSame, kDifferent, kBoth, kEither, kIfThen, kCount };
  Form form = Form::kIs;
  std::size_t a = 0;
  bool a_knight = false;
  std::size_t b = 0;
  bool b_knight = false;
  int count = 0;
};

struct Puzzle {
  std::vector<std::string> names;
  std::vector<Statement> said;  ///< by each
  unsigned solution = 0;        ///< bit i: islander i is a knight
};

bool IsKnight(unsigned world, std::size_t who) { return (world >> who & 1u) != 0; }

bool Holds(const Statement& statement, unsigned world) {
  const bool first = IsKnight(world, statement.a) == statement.a_knight;
  const bool second = IsKnight(world, statement.b) == statement.b_knight;
  switch (statement.form) {
    case Statement::Form::kIs:
      return first;
    case Statement::Form::kSame:
      return IsKnight(world, statement.a) == IsKnight(world, statement.b);
    case Statement::Form::kDifferent:
      return IsKnight(world, statement.a) != IsKnight(world, statement.b);
    case Statement::Form::kBoth:
      return first && second;
    case Statement::Form::kEither:
      return first || second;
    case Statement::Form::kIfThen:
      return !first || second;
    case Statement::Form::kCount:
      break;
  }
  return __builtin_popcount(world) == statement.count;
}

/// Everybody's statement is as true as the speaker is.
bool Fits(const Puzzle& puzzle, unsigned world) {
  for (std::size_t i = 0; i < puzzle.said.size(); ++i) {
    if (Holds(puzzle.said[i], world) != IsKnight(world, i)) return false;
  }
  return true;
}

const char* Kind(bool knight) { return knight ? "knight" : "knave"; }

std::string Tell(const Statement& statement, const std::vector<std::string>& names) {
  const std::string& a = names[statement.a];
  const std::string& b = names[statement.b];
  const char* a_kind = Kind(statement.a_knight);
  const char* b_kind = Kind(statement.b_knight);
  switch (statement.form) {
    case Statement::Form::kIs:
      return fmt::format("{} is a {}.", a, a_kind);
    case Statement::Form::kSame:
      return fmt::format("{} and {} are of the same kind.", a, b);
    case Statement::Form::kDifferent:
      return fmt::format("{} and {} are of different kinds.", a, b);
    case Statement::Form::kBoth:
      return fmt::format("{} is a {} and {} is a {}.", a, a_kind, b, b_kind);
    case Statement::Form::kEither:
      return fmt::format("{} is a {} or {} is a {}.", a, a_kind, b, b_kind);
    case Statement::Form::kIfThen:
      return fmt::format("If {} is a {}, then {} is a {}.", a, a_kind, b, b_kind);
    case Statement::Form::kCount:
      break;
  }
  return statement.count == 1 ? "Exactly one of us is a knight."
                              : fmt::format("Exactly {} of us are knights.", statement.count);
}

Statement DrawStatement(std::size_t people, Random* random) {
  Statement statement;
  statement.form = static_cast<Statement::Form>(random->Below(7));
  statement.a = random->Below(people);
  statement.b = (statement.a + 1 + random->Below(people - 1)) % people;
  statement.a_knight = random->Chance(50);
  statement.b_knight = random->Chance(50);
  statement.count = static_cast<int>(random->Below(people + 1));
  return statement;
}

Puzzle DrawPuzzle(std::size_t people, Random* random) {
  static constexpr std::array<const char*, 10> kPeople = {
      "Ada", "Boris", "Clara", "Dmitri", "Elena", "Felix", "Greta", "Hugo", "Irene", "Jakob"};
  while (true) {
    Puzzle puzzle;
    std::vector<std::string> names(kPeople.begin(), kPeople.end());
    random->Shuffle(&names);
    puzzle.names.assign(names.begin(), names.begin() + static_cast<int>(people));
    for (std::size_t i = 0; i < people; ++i) puzzle.said.push_back(DrawStatement(people, random));
    int solutions = 0;
    for (unsigned world = 0; world < 1u << people; ++world) {
      if (!Fits(puzzle, world)) continue;
      ++solutions;
      puzzle.solution = world;
    }
    if (solutions == 1) return puzzle;
  }
}

Judge MakeJudge(const Puzzle& puzzle) {
  return [names = puzzle.names,
          solution = puzzle.solution](const Answer& answer) -> Result<Judgement> {
    if (Trimmed(answer.value).empty()) return Judgement::kNone;
    const std::vector<std::string> said = SaidOf(answer.value, names, {"knight", "knave"});
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (said[i] != Kind(IsKnight(solution, i))) return Judgement::kWrong;
    }
    return Judgement::kRight;
  };
}

Item MakeItem(std::size_t people, std::uint64_t seed, std::size_t index) {
  const std::string name = fmt::format("knights-and-knaves-{}", people);
  Random random(seed, name, index);
  const Puzzle puzzle = DrawPuzzle(people, &random);
  std::string text =
      "On an island everybody is either a knight, who always tells the truth, or a knave, who "
      "always lies.";
  std::vector<std::string> kinds;
  for (std::size_t i = 0; i < people; ++i) {
    text += fmt::format(" {} says: \"{}\"", puzzle.names[i], Tell(puzzle.said[i], puzzle.names));
    kinds.push_back(fmt::format("{}: {}", puzzle.names[i], Kind(IsKnight(puzzle.solution, i))));
  }
  Item item;
  item.id = fmt::format("{}-s{}-{}", name, seed, index);
  item.question.text =
      fmt::format("{} Who is a knight and who is a knave? Answer in the form {}: …", text,
                  fmt::join(puzzle.names, ": …, "));
  item.question.kind = AnswerKind::kText;
  item.expected = fmt::format("{}", fmt::join(kinds, ", "));
  item.judge = MakeJudge(puzzle);
  return item;
}

Result<std::vector<Item>> Load(const Selection& selection) {
  std::vector<std::size_t> sizes;
  for (const std::string& option : selection.options) {
    const auto size = static_cast<std::size_t>(option.empty() ? 0 : option[0] - '0');
    if (option.size() != 1 || size < kFewest || size > kMost) {
      return Fail("no such option: " + option, "knights-and-knaves", "2 to 6 (people)");
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

const Family kKnights = {"knights-and-knaves", "who lies and who tells the truth",
                         "2 to 6 people (2, 3 and 4 in turn)", false, Load};

}  // namespace ergo::reasoning::eval
