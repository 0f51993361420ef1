// How well the counterfactual check tells steps that an answer rests on from decorative ones:
//   counterfactual [--count N] [--colliding N] [--seed S] [--show]
// Stories of 4 to 10 steps with one or two true equations planted whose results are never used. In
// one story of four a planted result equals a number that is used; in the colliding stories every
// one does, and all given numbers are from 2 to 6.
#include "reasoning/derive/counterfactual.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

using ergo::reasoning::Role;

constexpr std::array<const char*, 10> kThings = {"pens",   "jars",  "tickets", "stamps", "apples",
                                                 "shells", "books", "coins",   "plates", "cards"};

struct Step {
  std::string text;
  bool planted = false;
  long value = 0;
};

struct Story {
  std::string question;
  std::vector<Step> steps;
  long answer = 0;
};

class StoryMaker {
 public:
  StoryMaker(std::uint64_t seed, bool colliding) : random_(seed), colliding_(colliding) {}

  Story Make() {
    story_ = {};
    open_.clear();
    givens_.clear();
    const long steps = Between(4, 10);
    while (static_cast<long>(story_.steps.size()) + Open() - 1 < steps || Open() > 1)
      AddStep(steps);
    story_.answer = open_.front();
    Plant();
    story_.question += fmt::format("How many {} are there in the end?", Thing());
    return std::move(story_);
  }

 private:
  long Between(long least, long most) {
    return std::uniform_int_distribution<long>(least, most)(random_);
  }
  long Open() const { return static_cast<long>(open_.size()); }
  const char* Thing() { return kThings[static_cast<std::size_t>(Between(0, 9))]; }

  long Given() {
    const long number = colliding_ ? Between(2, 6) : Between(2, 60);
    givens_.push_back(number);
    static constexpr std::array<const char*, 4> kSentences = {
        "There are {} {} on a table. ", "Someone brings {} {}. ", "A box holds {} {}. ",
        "Each child has {} {}. "};
    const char* sentence = kSentences[static_cast<std::size_t>(Between(0, 3))];
    story_.question += fmt::format(fmt::runtime(sentence), number, Thing());
    return number;
  }

  /// One equation from two numbers, with a result from 1 to 100,000.
  Step Equation(long a, long b) {
    long kind = Between(0, 3);
    if (kind == 1 && a <= b) std::swap(a, b);
    if (kind == 1 && a == b) kind = 0;
    if (kind == 2 && a * b > 100000) kind = 0;
    if (kind == 3 && (b == 0 || a % b != 0 || b == 1)) kind = 0;
    const long value = kind == 0 ? a + b : kind == 1 ? a - b : kind == 2 ? a * b : a / b;
    return Say(a, "+-*/"[kind], b, value);
  }

  Step Say(long a, char sign, long b, long value) {
    static constexpr std::array<const char*, 5> kForms = {
        "{0} {1} {2} = {3}", "There are {0} {1} {2} = {3} {4}.", "So that is {0} {1} {2} = {3}.",
        "The {4} come to {0} {1} {2} = {3}.", "{0}{1}{2} = {3} {4}"};
    const char* form = kForms[static_cast<std::size_t>(Between(0, 4))];
    return {fmt::format(fmt::runtime(form), a, sign, b, value, Thing()), false, value};
  }

  long TakeOpen() {
    // Mostly what came last, as people write.
    const std::size_t at =
        Between(0, 3) != 0
            ? open_.size() - 1
            : static_cast<std::size_t>(Between(0, static_cast<long>(open_.size()) - 1));
    const long value = open_[at];
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
    return value;
  }

  void AddStep(long steps) {
    const bool room = static_cast<long>(story_.steps.size()) + Open() < steps;
    long a = 0;
    long b = 0;
    if (open_.empty() || (room && Open() < 3 && Between(0, 3) == 0)) {
      a = Given();
      b = Given();
    } else if (Open() > 1 && (!room || Between(0, 1) == 0)) {
      a = TakeOpen();
      b = TakeOpen();
    } else {
      a = TakeOpen();
      b = Given();
    }
    story_.steps.push_back(Equation(a, b));
    open_.push_back(story_.steps.back().value);
  }

  void Plant() {
    for (long left = Between(1, 2); left > 0; --left) {
      const long at = Between(1, static_cast<long>(story_.steps.size()) - 1);
      Step planted = colliding_ || Between(0, 3) == 0 ? Colliding() : Fresh(at);
      planted.planted = true;
      story_.steps.insert(story_.steps.begin() + at, std::move(planted));
    }
  }

  long AnyGiven() {
    return givens_[static_cast<std::size_t>(Between(0, static_cast<long>(givens_.size()) - 1))];
  }

  /// A result that no other number equals.
  Step Fresh(long at) {
    for (int attempt = 0; attempt < 50; ++attempt) {
      const long earlier = story_.steps[static_cast<std::size_t>(Between(0, at - 1))].value;
      Step step = Equation(Between(0, 1) == 0 ? AnyGiven() : earlier, AnyGiven());
      if (!Known(step.value)) return step;
    }
    return Say(100000, '+', 1, 100001);
  }

  bool Known(long value) const {
    return std::find(givens_.begin(), givens_.end(), value) != givens_.end() ||
           std::any_of(story_.steps.begin(), story_.steps.end(),
                       [&](const Step& step) { return step.value == value; });
  }

  /// A result that equals a given number or another result.
  Step Colliding() {
    const long target = Between(0, 1) == 0
                            ? AnyGiven()
                            : story_
                                  .steps[static_cast<std::size_t>(
                                      Between(0, static_cast<long>(story_.steps.size()) - 1))]
                                  .value;
    const long a = AnyGiven();
    return a < target ? Say(a, '+', target - a, target) : Say(target + a, '-', a, target);
  }

  std::mt19937_64 random_;
  bool colliding_;
  Story story_;
  std::vector<long> open_;
  std::vector<long> givens_;
};

struct Counts {
  std::size_t stories = 0;
  std::size_t planted = 0;
  std::size_t planted_flagged = 0;
  std::size_t real = 0;
  std::size_t real_flagged = 0;
  std::size_t unknown = 0;
  double ms = 0.0;
};

void Measure(const Story& story, bool show, Counts* counts) {
  std::string text;
  for (const Step& step : story.steps) text += step.text + "\n";
  text += fmt::format("#### {}", story.answer);
  const auto start = std::chrono::steady_clock::now();
  const auto roles = ergo::reasoning::RolesOf(story.question, text, std::to_string(story.answer));
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  counts->ms += time.count();
  ++counts->stories;
  bool wrong = false;
  for (std::size_t i = 0; i < story.steps.size(); ++i) {
    const bool planted = story.steps[i].planted;
    const bool flagged = roles[i].role == Role::kDecorative;
    ++(planted ? counts->planted : counts->real);
    if (flagged) ++(planted ? counts->planted_flagged : counts->real_flagged);
    counts->unknown += roles[i].role == Role::kUnknown ? 1 : 0;
    wrong |= planted != flagged;
  }
  if (!show || !wrong) return;
  fmt::print("{}\n", story.question);
  for (std::size_t i = 0; i < story.steps.size(); ++i) {
    fmt::print("  {} {} {}\n", story.steps[i].planted ? "planted" : "       ",
               roles[i].role == Role::kDecorative ? "flagged" : "       ", story.steps[i].text);
  }
}

double Percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void Print(const char* name, const Counts& c) {
  fmt::print("{:<10} {:>7} {:>8} {:>7.1f}% {:>8} {:>7.1f}% {:>8} {:>9.2f}\n", name, c.stories,
             c.planted, Percent(c.planted_flagged, c.planted), c.real,
             Percent(c.real_flagged, c.real), c.unknown,
             c.ms / static_cast<double>(std::max<std::size_t>(1, c.stories)));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures the counterfactual check"};
  std::size_t count = 500;
  std::size_t colliding = 200;
  std::uint64_t seed = 1;
  bool show = false;
  app.add_option("--count", count, "Stories")->check(CLI::Range(0, 1000000));
  app.add_option("--colliding", colliding, "Stories whose numbers collide")
      ->check(CLI::Range(0, 1000000));
  app.add_option("--seed", seed, "Of the stories");
  app.add_flag("--show", show, "Print the stories in which a step is misjudged");
  CLI11_PARSE(app, argc, argv);
  fmt::print("{:<10} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}\n", "", "stories", "planted",
             "flagged", "real", "flagged", "unknown", "ms/story");
  for (const bool collide : {false, true}) {
    StoryMaker maker(seed + (collide ? 1 : 0), collide);
    Counts counts;
    for (std::size_t i = 0; i < (collide ? colliding : count); ++i) {
      Measure(maker.Make(), show, &counts);
    }
    Print(collide ? "colliding" : "stories", counts);
  }
  return 0;
}
