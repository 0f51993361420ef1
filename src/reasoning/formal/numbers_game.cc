// A target from some numbers by the four operations, each number used at most once: exact search.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/derive/steps.h"
#include "reasoning/formal/formal.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostNumbers = 6;
constexpr std::int64_t kLargest = 1'000'000;  ///< of a numerator or denominator on the way
constexpr std::chrono::milliseconds kMostTime(3000);

struct Share {
  std::int64_t above = 0;
  std::int64_t below = 1;
  friend bool operator==(const Share&, const Share&) = default;
  friend auto operator<=>(const Share&, const Share&) = default;
};

std::optional<Share> Reduced(std::int64_t above, std::int64_t below) {
  if (below == 0) return std::nullopt;
  if (below < 0) {
    above = -above;
    below = -below;
  }
  const std::int64_t divisor = std::gcd(above, below);
  if (divisor > 1) {
    above /= divisor;
    below /= divisor;
  }
  if (above > kLargest || above < -kLargest || below > kLargest) return std::nullopt;
  return Share{above, below};
}

struct Term {
  Share value;
  std::string text;
  bool sum = false;  ///< needs parentheses within a product
};

std::string InProduct(const Term& term) { return term.sum ? "(" + term.text + ")" : term.text; }

/// All results of two terms.
std::vector<Term> Combine(const Term& a, const Term& b) {
  std::vector<Term> results;
  const auto add = [&](std::optional<Share> value, std::string text, bool sum) {
    if (value) results.push_back({*value, std::move(text), sum});
  };
  const auto& [an, ad] = a.value;
  const auto& [bn, bd] = b.value;
  add(Reduced(an * bd + bn * ad, ad * bd), a.text + " + " + b.text, true);
  add(Reduced(an * bd - bn * ad, ad * bd), a.text + " - " + InProduct(b), true);
  add(Reduced(bn * ad - an * bd, ad * bd), b.text + " - " + InProduct(a), true);
  add(Reduced(an * bn, ad * bd), InProduct(a) + " * " + InProduct(b), false);
  if (bn != 0) add(Reduced(an * bd, ad * bn), InProduct(a) + " / (" + b.text + ")", false);
  if (an != 0) add(Reduced(bn * ad, bd * an), InProduct(b) + " / (" + a.text + ")", false);
  return results;
}

class Game {
 public:
  Game(std::int64_t target, const Work& work)
      : target_{target, 1},
        until_(std::min(Limits::Clock::now() + kMostTime, work.settings().limits.until)) {}

  /// An expression for the target; nothing if there is none or the time is up.
  std::optional<std::string> Search(std::vector<Term> terms) {
    for (const Term& term : terms) {
      if (term.value == target_) return term.text;
    }
    if (terms.size() < 2 || Limits::Clock::now() >= until_) return std::nullopt;
    std::vector<Share> key;
    for (const Term& term : terms) key.push_back(term.value);
    std::sort(key.begin(), key.end());
    if (!seen_.insert(std::move(key)).second) return std::nullopt;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      for (std::size_t j = i + 1; j < terms.size(); ++j) {
        std::vector<Term> rest;
        for (std::size_t k = 0; k < terms.size(); ++k) {
          if (k != i && k != j) rest.push_back(terms[k]);
        }
        for (Term& result : Combine(terms[i], terms[j])) {
          rest.push_back(std::move(result));
          if (auto found = Search(rest)) return found;
          rest.pop_back();
        }
      }
    }
    return std::nullopt;
  }

 private:
  Share target_;
  Limits::Clock::time_point until_;
  std::set<std::vector<Share>> seen_;
};

std::vector<std::int64_t> WholeNumbers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) continue;
    std::int64_t number = 0;
    while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) {
      number = std::min(10 * number + (text[i++] - '0'), kLargest);
    }
    numbers.push_back(number);
  }
  return numbers;
}

struct Puzzle {
  std::int64_t target = 0;
  std::vector<std::int64_t> numbers;
};

/// "Make TARGET from the numbers A, B, C." and "Using the numbers A, B, C, make TARGET."
std::optional<Puzzle> Read(std::string_view text) {
  const std::size_t list = text.find("numbers ");
  if (list == std::string_view::npos) return std::nullopt;
  const std::size_t end = std::min(text.find_first_not_of("0123456789, ", list + 8), text.size());
  Puzzle puzzle;
  puzzle.numbers = WholeNumbers(text.substr(list, end - list));
  if (puzzle.numbers.size() < 2 || puzzle.numbers.size() > kMostNumbers) return std::nullopt;
  for (const std::string_view verb : {"Make ", "make ", "Reach ", "reach ", "target "}) {
    const std::size_t at = text.find(verb);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(at + verb.size());
    const std::size_t digits = rest.find_first_not_of("0123456789");
    if (digits == 0) continue;
    puzzle.target = WholeNumbers(rest.substr(0, digits)).front();
    return puzzle;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Derivation> SolveNumbersGame(Work& work) {
  if (!work.question().context.empty() || !work.question().options.empty()) return std::nullopt;
  const auto puzzle = Read(work.question().text);
  if (!puzzle) return std::nullopt;
  std::vector<Term> terms;
  for (const std::int64_t number : puzzle->numbers) {
    terms.push_back({{number, 1}, std::to_string(number), false});
  }
  const auto expression = Game(puzzle->target, work).Search(std::move(terms));
  if (!expression) return std::nullopt;
  Derivation derivation;
  derivation.text = fmt::format("{} = {}", *expression, puzzle->target);
  derivation.value = *expression;
  RecordSteps(work, {}, &derivation);
  return derivation.confirmed() ? std::optional(std::move(derivation)) : std::nullopt;
}

}  // namespace ergo::reasoning
