// Deductions of known depth from facts and rules, in controlled English (that of ProofWriter) or
// paraphrased, in the open or the closed world.
#include <fmt/format.h>

#include <array>
#include <string>

#include "reasoning/eval/families/all.h"
#include "reasoning/eval/families/theory.h"
#include "reasoning/eval/judges.h"

namespace ergo::reasoning::eval {

namespace {

constexpr int kDeepest = 10;

constexpr std::array<const char*, 8> kPeople = {"Anne", "Bob",   "Charlie", "Dave",
                                                "Erin", "Fiona", "Gary",    "Harry"};
constexpr std::array<const char*, 36> kProperties = {
    "big",    "blue",  "brave",  "calm",   "clever", "cold",  "eager",  "famous", "furry",
    "gentle", "green", "happy",  "honest", "kind",   "lucky", "modest", "nice",   "old",
    "polite", "proud", "quick",  "quiet",  "red",    "rich",  "rough",  "round",  "sad",
    "shy",    "smart", "strong", "tall",   "tidy",   "warm",  "white",  "wise",   "young"};

// {0} is the person, {1} the property.
constexpr std::array<const char*, 5> kFacts = {
    "{0} is known to be {1}.",
    "Everybody agrees that {0} is {1}.",
    "One thing is certain about {0}: {0} is {1}.",
    "You will find {0} to be {1}.",
    "As for {0}, the word {1} fits.",
};
constexpr std::array<const char*, 3> kDenials = {
    "{0} is anything but {1}.",
    "It is certain that {0} is not {1}.",
    "As for {0}, the word {1} does not fit.",
};
// {0} is the condition ("kind", "both kind and red"), {1} the conclusion.
constexpr std::array<const char*, 6> kRules = {
    "Whoever is {0} is also {1}.",
    "Being {0} always makes a person {1}.",
    "A person who is {0} is certain to be {1}.",
    "Show me someone who is {0}, and I will show you someone who is {1}.",
    "You cannot be {0} without being {1}.",
    "It takes no more than being {0} to be {1}.",
};
constexpr std::array<const char*, 4> kBans = {
    "Whoever is {0} is never {1}.",
    "No one who is {0} is {1}.",
    "Being {0} rules out being {1}.",
    "You cannot be {0} and at the same time be {1}.",
};

/// Puts a theory into words.
class Teller {
 public:
  Teller(bool paraphrased, Random* random) : paraphrased_(paraphrased), random_(random) {
    people_.assign(kPeople.begin(), kPeople.end());
    properties_.assign(kProperties.begin(), kProperties.end());
    random_->Shuffle(&people_);
    random_->Shuffle(&properties_);
  }

  std::string Tell(const Theory& theory) {
    std::vector<std::string> sentences;
    for (const Fact& fact : theory.facts) sentences.push_back(TellFact(fact));
    for (const Rule& rule : theory.rules) sentences.push_back(TellRule(rule));
    // In controlled English facts come first, as in ProofWriter.
    if (paraphrased_) random_->Shuffle(&sentences);
    std::string text;
    for (const std::string& sentence : sentences) text += (text.empty() ? "" : " ") + sentence;
    return text;
  }

  std::string TellPlainly(int person, Literal literal) const {
    return fmt::format("{} is {}{}.", Person(person), literal.positive ? "" : "not ",
                       Property(literal));
  }

 private:
  const std::string& Person(int person) const { return people_[static_cast<std::size_t>(person)]; }
  const std::string& Property(Literal literal) const {
    return properties_[static_cast<std::size_t>(literal.property)];
  }

  std::string TellFact(const Fact& fact) {
    if (!paraphrased_) return TellPlainly(fact.person, fact.literal);
    const char* form = fact.literal.positive ? random_->Pick(kFacts) : random_->Pick(kDenials);
    return fmt::format(fmt::runtime(form), Person(fact.person), Property(fact.literal));
  }

  std::string TellRule(const Rule& rule) {
    const bool two = rule.conditions.size() > 1;
    const std::string& first = Property(rule.conditions.front());
    const std::string& last = Property(rule.conditions.back());
    const std::string& conclusion = Property(rule.conclusion);
    const bool positive = rule.conclusion.positive;
    if (paraphrased_) {
      const std::string condition = two ? fmt::format("both {} and {}", first, last) : first;
      const char* form = positive ? random_->Pick(kRules) : random_->Pick(kBans);
      return fmt::format(fmt::runtime(form), condition, conclusion);
    }
    const char* negation = positive ? "" : "not ";
    const std::size_t form = random_->Below(3);
    if (form == 0) {
      return fmt::format("If someone is {} then they are {}{}.",
                         two ? fmt::format("{} and {}", first, last) : first, negation, conclusion);
    }
    std::string subject = two ? fmt::format("{}, {}", first, last) : first;
    // "All kind people are not red" could mean that some are.
    if (form == 1 && positive) return fmt::format("All {} people are {}.", subject, conclusion);
    subject.front() = static_cast<char>(subject.front() - 'a' + 'A');
    return fmt::format("{} people are {}{}.", subject, negation, conclusion);
  }

  const bool paraphrased_;
  Random* const random_;
  std::vector<std::string> people_;
  std::vector<std::string> properties_;
};

/// The forms that the options allow, in turn.
Result<std::vector<DeductionForm>> ReadOptions(const std::vector<std::string>& options) {
  std::vector<int> depths;
  std::vector<bool> styles;
  std::vector<bool> worlds;
  for (const std::string& option : options) {
    if (option == "controlled" || option == "paraphrased") {
      styles.push_back(option == "paraphrased");
    } else if (option == "open" || option == "closed") {
      worlds.push_back(option == "closed");
    } else if (option == "10" || (option.size() == 1 && option[0] >= '1' && option[0] <= '9')) {
      depths.push_back(option == "10" ? kDeepest : option[0] - '0');
    } else {
      return Fail("no such option: " + option, "deduction",
                  "1 to 10 (depth), controlled or paraphrased, open or closed");
    }
  }
  if (depths.empty()) {
    for (int depth = 1; depth <= kDeepest; ++depth) depths.push_back(depth);
  }
  if (styles.empty()) styles = {false, true};
  if (worlds.empty()) worlds = {false, true};
  std::vector<DeductionForm> forms;
  for (const int depth : depths) {
    for (const bool paraphrased : styles) {
      for (const bool closed : worlds) forms.push_back({depth, closed, paraphrased});
    }
  }
  return forms;
}

Item MakeItem(const DeductionForm& form, std::uint64_t seed, std::size_t index) {
  const std::string name =
      fmt::format("deduction-{}-{}-{}", form.depth, form.paraphrased ? "paraphrased" : "controlled",
                  form.closed ? "closed" : "open");
  Random random(seed, name, index);
  const auto truth = static_cast<Truth>(random.Below(form.closed ? 2 : 3));
  const Deduction deduction = DrawDeduction(form, truth, &random);
  Teller teller(form.paraphrased, &random);
  Item item;
  item.id = fmt::format("{}-s{}-{}", name, seed, index);
  item.question.context = teller.Tell(deduction.theory);
  item.question.text =
      fmt::format("Based on the above information, is the following statement {}? {}",
                  form.closed ? "true or false (what does not follow counts as false)"
                              : "true, false, or unknown",
                  teller.TellPlainly(0, deduction.statement));
  item.question.options = {"True", "False"};
  if (!form.closed) item.question.options.push_back("Unknown");
  item.question.kind = AnswerKind::kChoice;
  const auto right = static_cast<std::size_t>(truth);
  item.expected = item.question.options[right];
  item.judge = JudgeOption(item.question.options, right);
  return item;
}

Result<std::vector<Item>> Load(const Selection& selection) {
  const Result<std::vector<DeductionForm>> forms = ReadOptions(selection.options);
  if (!forms) return tl::unexpected(forms.error());
  std::vector<Item> items;
  for (std::size_t i = 0; i < selection.count; ++i) {
    items.push_back(MakeItem((*forms)[i % forms->size()], selection.seed, i));
  }
  return items;
}

}  // namespace

const Family kDeduction = {
    "deduction", "true, false or unknown from facts and rules of known depth",
    "depth (1 to 10 in turn), controlled or paraphrased, open or closed", false, Load};

}  // namespace ergo::reasoning::eval
