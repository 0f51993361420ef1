#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "reasoning/eval/families/theory.h"
#include "reasoning/eval/family.h"

namespace ergo::reasoning::eval {
namespace {

using ::testing::HasSubstr;

std::vector<Item> Made(const std::string& written, std::size_t count, std::uint64_t seed = 1) {
  const Result<FamilyChoice> choice = ParseFamily(written);
  EXPECT_TRUE(choice);
  Selection selection;
  selection.options = choice->options;
  selection.count = count;
  selection.seed = seed;
  auto items = choice->family->load(selection);
  EXPECT_TRUE(items) << items.error().Message();
  return items ? *items : std::vector<Item>();
}

Judgement Judged(const Item& item, const std::string& value) {
  Answer answer;
  answer.value = value;
  return item.judge(answer).value();
}

std::vector<long> NumbersIn(const std::string& text) {
  std::vector<long> numbers;
  const std::regex number("[0-9]+");
  for (std::sregex_iterator at(text.begin(), text.end(), number), end; at != end; ++at) {
    numbers.push_back(std::stol(at->str()));
  }
  return numbers;
}

TEST(MadeFamilies, TheSameSeedGivesTheSameQuestions) {
  for (const char* family : {"chains", "countdown", "deduction", "knights", "linear"}) {
    const auto first = Made(family, 45, 7);
    const auto again = Made(family, 45, 7);
    const auto fewer = Made(family, 10, 7);
    const auto other = Made(family, 45, 8);
    std::set<std::string> ids;
    std::size_t same = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(first[i].question.text, again[i].question.text);
      EXPECT_EQ(first[i].question.context, again[i].question.context);
      EXPECT_EQ(first[i].expected, again[i].expected);
      if (i < fewer.size()) {
        EXPECT_EQ(first[i].id, fewer[i].id);
        EXPECT_EQ(first[i].question.text, fewer[i].question.text);
      }
      EXPECT_TRUE(ids.insert(first[i].id).second) << first[i].id;
      EXPECT_NE(first[i].id, other[i].id);
      same += first[i].question.text == other[i].question.text &&
              first[i].question.context == other[i].question.context;
      EXPECT_EQ(Judged(first[i], first[i].expected), Judgement::kRight) << first[i].expected;
      EXPECT_EQ(Judged(first[i], ""), Judgement::kNone);
      EXPECT_EQ(Judged(first[i], "no idea"), Judgement::kWrong);
    }
    EXPECT_EQ(same, 0u) << family;
  }
}

TEST(MadeFamilies, KnowTheirOptions) {
  for (const char* written : {"chains:0", "chains:201", "chains:x", "chains:", "countdown:2",
                              "countdown:7", "deduction:0", "deduction:11", "deduction:maybe",
                              "knights:1", "knights:7", "linear:1", "linear:5", "linear:22"}) {
    const auto choice = ParseFamily(written);
    ASSERT_TRUE(choice);
    Selection selection;
    selection.options = choice->options;
    EXPECT_THAT(choice->family->load(selection).error().Message(), HasSubstr("no such option"))
        << written;
  }
}

/// All values that two or more of `numbers` can be joined to, by trying all.
bool CanMake(std::vector<double> numbers, double target) {
  for (const double number : numbers) {
    if (std::abs(number - target) < 1e-9) return true;
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    for (std::size_t j = 0; j < numbers.size(); ++j) {
      if (i == j) continue;
      std::vector<double> rest;
      for (std::size_t k = 0; k < numbers.size(); ++k) {
        if (k != i && k != j) rest.push_back(numbers[k]);
      }
      const double a = numbers[i];
      const double b = numbers[j];
      for (const double made : {a + b, a - b, a * b, b != 0 ? a / b : 0}) {
        rest.push_back(made);
        if (CanMake(rest, target)) return true;
        rest.pop_back();
      }
    }
  }
  return false;
}

TEST(Countdown, CanBeSolved) {
  for (const Item& item : Made("countdown:4", 20)) {
    std::vector<long> numbers = NumbersIn(item.question.text);
    ASSERT_EQ(numbers.size(), 5u) << item.question.text;
    const std::vector<double> given(numbers.begin() + 1, numbers.end());
    EXPECT_TRUE(CanMake(given, static_cast<double>(numbers[0]))) << item.question.text;
  }
  for (const Item& item : Made("countdown:24", 20)) {
    EXPECT_THAT(item.question.text, HasSubstr("Make 24 from"));
  }
  EXPECT_EQ(NumbersIn(Made("countdown:6", 1)[0].question.text).size(), 7u);
}

TEST(Countdown, IsJudgedByTheExpression) {
  const Item item = Made("countdown:3", 1)[0];
  EXPECT_EQ(Judged(item, item.expected + " = " + "1"), Judgement::kRight);
  EXPECT_EQ(Judged(item, item.expected + " + 0"), Judgement::kWrong);  // 0 was not given
  const long target = NumbersIn(item.question.text)[0];
  EXPECT_EQ(Judged(item, std::to_string(target)), Judgement::kWrong);
  const std::string twice = "(" + item.expected + ") + (" + item.expected + ") - (" + item.expected;
  EXPECT_EQ(Judged(item, twice + ")"), Judgement::kWrong);  // each number once
}

/// The result of the steps that a text tells, by its words.
long Follow(const std::string& text) {
  long value = NumbersIn(text).at(0);
  const std::regex step("(Add|Subtract|Multiply by|Divide by) ([0-9]+)");
  for (std::sregex_iterator at(text.begin(), text.end(), step), end; at != end; ++at) {
    const long by = std::stol((*at)[2]);
    switch ((*at)[1].str()[0]) {
      case 'A':
        value += by;
        break;
      case 'S':
        value -= by;
        break;
      case 'M':
        value *= by;
        break;
      default:
        EXPECT_EQ(value % by, 0);
        value /= by;
    }
    EXPECT_GE(value, 1);
    EXPECT_LE(value, 9999);
  }
  return value;
}

/// The same of a story, by what happens in it.
long FollowStory(const std::string& text) {
  const std::regex sentence("[^.?]+[.?]");
  std::sregex_iterator at(text.begin(), text.end(), sentence);
  const std::string first = at->str();
  long value = NumbersIn(first).at(0);
  for (++at; at != std::sregex_iterator(); ++at) {
    const std::string told = at->str();
    if (told.find('?') != std::string::npos) break;
    const long by = NumbersIn(told).at(0);
    const auto says = [&](const char* word) { return told.find(word) != std::string::npos; };
    if (says(" times as many")) {
      value *= by;
    } else if (says("equal parts") || says("Of every")) {
      EXPECT_EQ(value % by, 0) << told;
      value /= by;
    } else if (says("gives") || says("lost") || says("sells") || says("borrows")) {
      value -= by;
    } else {
      EXPECT_TRUE(says("finds") || says("present") || says("buys") || says("added")) << told;
      value += by;
    }
  }
  return value;
}

TEST(Chains, HaveTheResultOfTheirSteps) {
  for (const Item& item : Made("chains:5:40:plain", 40)) {
    EXPECT_EQ(std::to_string(Follow(item.question.text)), item.expected) << item.question.text;
  }
  for (const Item& item : Made("chains:5:40:story", 40)) {
    EXPECT_EQ(std::to_string(FollowStory(item.question.text)), item.expected) << item.question.text;
  }
  EXPECT_EQ(NumbersIn(Made("chains:20:plain", 1)[0].question.text).size(), 21u);
  EXPECT_EQ(NumbersIn(Made("chains:20:story", 1)[0].question.text).size(), 21u);
  EXPECT_THAT(Made("chains", 8)[7].id, HasSubstr("chains-40-story"));
}

/// Whether a statement holds when `knights` are the knights.
bool Holds(const std::string& said, const std::set<std::string>& knights, std::size_t people) {
  std::smatch found;
  const auto is = [&](const std::string& name, const std::string& kind) {
    return (knights.count(name) > 0) == (kind == "knight");
  };
  if (std::regex_match(said, found,
                       std::regex("Exactly (\\w+) of us (are knights|is a knight)\\."))) {
    const std::string count = found[1] == "one" ? "1" : found[1].str();
    return knights.size() == std::stoul(count);
  }
  if (std::regex_match(said, found,
                       std::regex("(\\w+) and (\\w+) are of (the same kind|different kinds)\\."))) {
    const bool same = knights.count(found[1]) == knights.count(found[2]);
    return same == (found[3] == "the same kind");
  }
  if (std::regex_match(said, found,
                       std::regex("If (\\w+) is a (\\w+), then (\\w+) is a (\\w+)\\."))) {
    return !is(found[1], found[2]) || is(found[3], found[4]);
  }
  if (std::regex_match(said, found,
                       std::regex("(\\w+) is a (\\w+) (and|or) (\\w+) is a (\\w+)\\."))) {
    const bool first = is(found[1], found[2]);
    const bool second = is(found[4], found[5]);
    return found[3] == "and" ? first && second : first || second;
  }
  if (std::regex_match(said, found, std::regex("(\\w+) is a (\\w+)\\."))) {
    return is(found[1], found[2]);
  }
  ADD_FAILURE() << said << people;
  return false;
}

TEST(Knights, HaveOneSolution) {
  for (const Item& item : Made("knights:2:3:5", 60)) {
    std::vector<std::string> names;
    std::vector<std::string> said;
    const std::string& text = item.question.text;
    const std::regex says("(\\w+) says: \"([^\"]*)\"");
    for (std::sregex_iterator at(text.begin(), text.end(), says), end; at != end; ++at) {
      names.push_back((*at)[1]);
      said.push_back((*at)[2]);
    }
    std::vector<std::string> solutions;
    for (unsigned world = 0; world < 1u << names.size(); ++world) {
      std::set<std::string> knights;
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (world >> i & 1u) knights.insert(names[i]);
      }
      bool fits = true;
      for (std::size_t i = 0; i < names.size(); ++i) {
        fits = fits && Holds(said[i], knights, names.size()) == (knights.count(names[i]) > 0);
      }
      if (!fits) continue;
      std::string solution;
      for (const std::string& name : names) {
        solution += (solution.empty() ? "" : ", ") + name + ": " +
                    (knights.count(name) > 0 ? "knight" : "knave");
      }
      solutions.push_back(solution);
    }
    EXPECT_THAT(solutions, ::testing::ElementsAre(item.expected)) << text;
  }
}

TEST(Knights, AreJudgedByName) {
  const Item item = Made("knights:2", 1)[0];
  std::string flipped = item.expected;
  const std::size_t at = flipped.find("kn");
  flipped.replace(at, flipped[at + 2] == 'i' ? 6 : 5, flipped[at + 2] == 'i' ? "knave" : "knight");
  EXPECT_EQ(Judged(item, flipped), Judgement::kWrong);
  EXPECT_EQ(Judged(item, item.expected + ", " + flipped), Judgement::kWrong);  // says both
  std::string prose = std::regex_replace(item.expected, std::regex(":"), " is a");
  EXPECT_EQ(Judged(item, prose + "."), Judgement::kRight);
  EXPECT_EQ(Judged(item, item.expected.substr(0, item.expected.find(','))), Judgement::kWrong);
}

TEST(LinearSystems, HaveTheirSolutionAlone) {
  for (const Item& item : Made("linear:2", 30)) {
    const std::regex row("\\n(-?[0-9]*)(x)?(?: ?([+-])? ?)?(?:(-?[0-9]*)y)? = (-?[0-9]+)");
    const std::string& text = item.question.text;
    std::vector<std::array<long, 3>> rows;
    for (std::sregex_iterator at(text.begin(), text.end(), row), end; at != end; ++at) {
      const auto factor = [](const std::string& digits) {
        return digits.empty() ? 1 : digits == "-" ? -1 : std::stol(digits);
      };
      long x = 0;
      long y = 0;
      if ((*at)[2].matched) {
        x = factor((*at)[1]);
        if ((*at)[4].matched) y = factor((*at)[4]) * ((*at)[3] == "-" ? -1 : 1);
      } else {
        // y alone: its factor is where that of x would be.
        y = factor((*at)[1].str() + ((*at)[3] == "-" ? "-" : "") + (*at)[4].str());
      }
      rows.push_back({x, y, std::stol((*at)[5])});
    }
    ASSERT_EQ(rows.size(), 2u) << text;
    std::vector<std::string> solutions;
    for (long x = -9; x <= 9; ++x) {
      for (long y = -9; y <= 9; ++y) {
        const bool fits = std::all_of(rows.begin(), rows.end(),
                                      [&](const auto& r) { return r[0] * x + r[1] * y == r[2]; });
        if (fits) solutions.push_back("x = " + std::to_string(x) + ", y = " + std::to_string(y));
      }
    }
    EXPECT_THAT(solutions, ::testing::ElementsAre(item.expected)) << text;
  }
}

TEST(LinearSystems, AreJudgedByValueInAnyForm) {
  const Item item = Made("linear:3", 1)[0];
  const std::regex names("[xyz] = ");
  const std::string values = std::regex_replace(item.expected, names, "");
  EXPECT_EQ(Judged(item, "(" + values + ")"), Judgement::kRight);
  EXPECT_EQ(Judged(item, values), Judgement::kRight);
  EXPECT_EQ(Judged(item, std::regex_replace(item.expected, std::regex(" "), "")),
            Judgement::kRight);
  EXPECT_EQ(Judged(item, values + ", 5"), Judgement::kWrong);
  EXPECT_EQ(Judged(item, values.substr(0, values.rfind(','))), Judgement::kWrong);
  EXPECT_EQ(Judged(item, "x = 99, y = 99, z = 99"), Judgement::kWrong);
  EXPECT_EQ(Judged(item, "x = 1"), Judgement::kWrong);
}

/// What controlled English says, by trying every assignment of properties to the person asked
/// about, and by forward chaining; written without the generator's own types.
struct Reading {
  std::set<std::string> facts;  ///< "kind", "!kind"
  std::vector<std::pair<std::vector<std::string>, std::string>> rules;
  std::string asked;
  std::set<std::string> properties;
};

Reading ReadControlled(const Item& item) {
  Reading reading;
  std::smatch found;
  const std::string& text = item.question.text;
  EXPECT_TRUE(std::regex_search(text, found, std::regex("(\\w+) is (not )?(\\w+)\\.$"))) << text;
  const std::string person = found[1];
  reading.asked = (found[2].matched ? "!" : "") + found[3].str();
  reading.properties.insert(found[3]);
  const std::regex sentence("[^.]+\\.");
  const std::string& context = item.question.context;
  for (std::sregex_iterator at(context.begin(), context.end(), sentence), end; at != end; ++at) {
    std::string told = at->str();
    told.erase(0, told.find_first_not_of(' '));
    std::smatch part;
    std::vector<std::string> conditions;
    std::string conclusion;
    if (std::regex_match(
            told, part,
            std::regex("If someone is (\\w+)(?: and (\\w+))? then they are (not )?(\\w+)\\."))) {
    } else if (std::regex_match(
                   told, part,
                   std::regex("(?:All )?(\\w+)(?:, (\\w+))? people are (not )?(\\w+)\\."))) {
    } else if (std::regex_match(told, part, std::regex("(\\w+) is (not )?(\\w+)\\."))) {
      reading.properties.insert(part[3]);
      if (part[1] == person) reading.facts.insert((part[2].matched ? "!" : "") + part[3].str());
      continue;
    } else {
      ADD_FAILURE() << told;
      continue;
    }
    for (const int group : {1, 2}) {
      std::string word = part[group];
      if (word.empty()) continue;
      word[0] = static_cast<char>(std::tolower(word[0]));
      conditions.push_back(word);
      reading.properties.insert(word);
    }
    reading.properties.insert(part[4]);
    reading.rules.emplace_back(conditions, (part[3].matched ? "!" : "") + part[4].str());
  }
  return reading;
}

std::set<std::string> Closure(const Reading& reading, int* rounds) {
  std::set<std::string> known = reading.facts;
  for (*rounds = 0;; ++*rounds) {
    if (known.count(reading.asked) || known.count("!" + reading.asked) ||
        (reading.asked[0] == '!' && known.count(reading.asked.substr(1)))) {
      return known;
    }
    std::set<std::string> more = known;
    for (const auto& [conditions, conclusion] : reading.rules) {
      if (std::all_of(conditions.begin(), conditions.end(),
                      [&](const std::string& word) { return known.count(word) > 0; })) {
        more.insert(conclusion);
      }
    }
    if (more == known) return known;
    known = more;
  }
}

TEST(Deduction, HasTheTruthAndDepthThatItSays) {
  for (const int depth : {1, 3, 5, 10}) {
    for (const std::string world : {"open", "closed"}) {
      std::map<std::string, int> seen;
      for (const Item& item :
           Made("deduction:" + std::to_string(depth) + ":controlled:" + world, 40)) {
        const Reading reading = ReadControlled(item);
        int rounds = 0;
        const std::set<std::string> known = Closure(reading, &rounds);
        const bool negated = reading.asked[0] == '!';
        const std::string opposite = negated ? reading.asked.substr(1) : "!" + reading.asked;
        const bool holds = known.count(reading.asked) > 0;
        const bool fails = known.count(opposite) > 0;
        std::string truth = holds ? "True" : fails ? "False" : "Unknown";
        if (world == "closed" && truth == "Unknown") truth = negated ? "True" : "False";
        EXPECT_EQ(truth, item.expected) << item.question.context << item.question.text;
        if (holds || fails) {
          EXPECT_EQ(rounds, depth);
        }
        ++seen[item.expected];
      }
      EXPECT_EQ(seen.size(), world == "open" ? 3u : 2u);
      for (const auto& [truth, count] : seen) EXPECT_GE(count, 5) << truth << depth << world;
    }
  }
}

TEST(Deduction, AgreesWithClassicalLogicInTheOpenWorld) {
  // Truth tables over the person's properties: feasible for short chains.
  for (const Item& item : Made("deduction:1:2:controlled:open", 30)) {
    const Reading reading = ReadControlled(item);
    const std::vector<std::string> names(reading.properties.begin(), reading.properties.end());
    ASSERT_LE(names.size(), 20u);
    bool can_hold = false;
    bool can_fail = false;
    for (unsigned world = 0; world < 1u << names.size(); ++world) {
      const auto holds = [&](const std::string& literal) {
        const bool negated = literal[0] == '!';
        const auto at = std::lower_bound(names.begin(), names.end(), literal.substr(negated));
        return ((world >> (at - names.begin()) & 1u) != 0) != negated;
      };
      bool model = std::all_of(reading.facts.begin(), reading.facts.end(), holds);
      for (const auto& [conditions, conclusion] : reading.rules) {
        model = model &&
                (!std::all_of(conditions.begin(), conditions.end(), holds) || holds(conclusion));
      }
      if (!model) continue;
      (holds(reading.asked) ? can_hold : can_fail) = true;
    }
    const std::string truth = can_hold && can_fail ? "Unknown" : can_hold ? "True" : "False";
    EXPECT_TRUE(can_hold || can_fail);
    EXPECT_EQ(truth, item.expected) << item.question.context << item.question.text;
  }
}

TEST(Deduction, IsParaphrased) {
  for (const Item& item : Made("deduction:3:paraphrased", 20)) {
    EXPECT_EQ(item.question.context.find("If someone"), std::string::npos);
    EXPECT_EQ(item.question.context.find(" people are "), std::string::npos);
    EXPECT_EQ(item.question.context.find('{'), std::string::npos);
  }
}

}  // namespace
}  // namespace ergo::reasoning::eval
