// Chains of arithmetic steps, plain or told as a story. Every value on the way is a whole number
// from 1 to 9999, so that it is the length that makes them hard.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>

#include "reasoning/eval/families/all.h"
#include "reasoning/eval/judges.h"
#include "reasoning/eval/random.h"

namespace ergo::reasoning::eval {

namespace {

constexpr std::int64_t kLargest = 9999;
constexpr std::size_t kMostSteps = 200;

struct Form {
  std::size_t steps = 0;
  bool story = false;
};

struct Step {
  char sign = '+';
  std::int64_t by = 0;
};

struct Chain {
  std::int64_t start = 0;
  std::vector<Step> steps;
  std::int64_t end = 0;
};

/// What to tell of: who, what there is, where it is kept.
struct Scene {
  const char* who;
  const char* pronoun;
  const char* things;
  const char* place;
};
constexpr std::array<Scene, 6> kScenes = {{
    {"Mara", "she", "marbles", "in a jar"},
    {"Jonas", "he", "stamps", "in an album"},
    {"Leila", "she", "beads", "on a tray"},
    {"Pavel", "he", "coins", "in a box"},
    {"Hanna", "she", "shells", "on a shelf"},
    {"Tomas", "he", "cards", "in a drawer"},
}};

// {0} is the number, {1} the pronoun, {2} the things.
constexpr std::array<const char*, 4> kMore = {
    "Then {1} finds {0} more {2}.",
    "A neighbour brings {0} {2} as a present.",
    "On the market {1} buys another {0} {2}.",
    "In the evening {0} {2} are added to the collection.",
};
constexpr std::array<const char*, 4> kLess = {
    "Then {1} gives {0} {2} to a friend.",
    "Sadly, {0} of the {2} get lost.",
    "Now {1} sells {0} {2}.",
    "A cousin borrows {0} {2} and keeps them.",
};
constexpr std::array<const char*, 2> kTimes = {
    "After a lucky trade {1} has {0} times as many {2} as before.",
    "A rich aunt makes it {0} times as many {2}.",
};
constexpr std::array<const char*, 2> kShare = {
    "Then {1} splits the {2} into {0} equal parts and keeps only one part.",
    "Of every {0} {2}, {1} keeps one and throws the others away.",
};

Step DrawStep(std::int64_t value, Random* random) {
  while (true) {
    Step step;
    step.sign = "+-*/"[random->Below(4)];
    if (step.sign == '+') {
      step.by = random->Between(2, 99);
      if (value + step.by <= kLargest) return step;
    } else if (step.sign == '-') {
      step.by = random->Between(2, 99);
      if (value - step.by >= 1) return step;
    } else {
      step.by = random->Between(2, 9);
      if (step.sign == '*' && value * step.by <= kLargest) return step;
      if (step.sign == '/' && value % step.by == 0) return step;
    }
  }
}

Chain DrawChain(std::size_t steps, Random* random) {
  Chain chain;
  chain.start = random->Between(2, 99);
  chain.end = chain.start;
  while (chain.steps.size() < steps) {
    const Step step = DrawStep(chain.end, random);
    chain.end = step.sign == '+'   ? chain.end + step.by
                : step.sign == '-' ? chain.end - step.by
                : step.sign == '*' ? chain.end * step.by
                                   : chain.end / step.by;
    chain.steps.push_back(step);
  }
  return chain;
}

std::string TellPlain(const Chain& chain) {
  std::string text = fmt::format("Start with {}.", chain.start);
  for (const Step& step : chain.steps) {
    const char* form = step.sign == '+'   ? " Add {}."
                       : step.sign == '-' ? " Subtract {}."
                       : step.sign == '*' ? " Multiply by {}."
                                          : " Divide by {}.";
    text += fmt::format(fmt::runtime(form), step.by);
  }
  return text + " What is the result?";
}

std::string TellStory(const Chain& chain, Random* random) {
  const Scene& scene = random->Pick(kScenes);
  std::string text =
      fmt::format("{} has {} {} {}.", scene.who, chain.start, scene.things, scene.place);
  for (const Step& step : chain.steps) {
    const char* form = step.sign == '+'   ? random->Pick(kMore)
                       : step.sign == '-' ? random->Pick(kLess)
                       : step.sign == '*' ? random->Pick(kTimes)
                                          : random->Pick(kShare);
    text += ' ';
    text += fmt::format(fmt::runtime(form), step.by, scene.pronoun, scene.things);
  }
  return text + fmt::format(" How many {} does {} have now?", scene.things, scene.who);
}

/// The forms that the options allow, in turn.
Result<std::vector<Form>> ReadOptions(const std::vector<std::string>& options) {
  std::vector<std::size_t> lengths;
  std::vector<bool> styles;
  for (const std::string& option : options) {
    if (option == "plain" || option == "story") {
      styles.push_back(option == "story");
      continue;
    }
    std::size_t steps = 0;
    for (const char c : option) {
      const bool digit = c >= '0' && c <= '9';
      steps = digit && steps <= kMostSteps ? 10 * steps + static_cast<std::size_t>(c - '0')
                                           : kMostSteps + 1;
    }
    if (steps < 1 || steps > kMostSteps) {
      return Fail("no such option: " + option, "chains",
                  fmt::format("1 to {} (steps), plain or story", kMostSteps));
    }
    lengths.push_back(steps);
  }
  if (lengths.empty()) lengths = {5, 10, 20, 40};
  if (styles.empty()) styles = {false, true};
  std::vector<Form> forms;
  for (const std::size_t steps : lengths) {
    for (const bool story : styles) forms.push_back({steps, story});
  }
  return forms;
}

Result<std::vector<Item>> Load(const Selection& selection) {
  const Result<std::vector<Form>> forms = ReadOptions(selection.options);
  if (!forms) return tl::unexpected(forms.error());
  std::vector<Item> items;
  for (std::size_t i = 0; i < selection.count; ++i) {
    const Form& form = (*forms)[i % forms->size()];
    const std::string name =
        fmt::format("chains-{}-{}", form.steps, form.story ? "story" : "plain");
    Random random(selection.seed, name, i);
    const Chain chain = DrawChain(form.steps, &random);
    Item item;
    item.id = fmt::format("{}-s{}-{}", name, selection.seed, i);
    item.question.text = form.story ? TellStory(chain, &random) : TellPlain(chain);
    item.question.kind = AnswerKind::kNumber;
    item.expected = std::to_string(chain.end);
    item.judge = JudgeNumber(item.expected);
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

const Family kChains = {"chains", "arithmetic of many steps",
                        "steps (5, 10, 20 and 40 in turn), plain or story", false, Load};

}  // namespace ergo::reasoning::eval
