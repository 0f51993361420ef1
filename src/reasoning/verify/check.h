// What every check of a step looks like, whatever it checks by.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ergo::reasoning {

enum class Verdict {
  kVerified,     ///< holds under the semantics that the finding names
  kRefuted,      ///< does not hold
  kUnsupported,  ///< understood, but nothing that is known entails it
  kUnchecked,    ///< not understood, or no time
};
/// "verified", "refuted", "unsupported" or "unchecked".
std::string_view Name(Verdict verdict);

/// Bytes of a text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

struct Finding {
  Verdict verdict = Verdict::kUnchecked;
  /// An exact check of a fully parsed claim. Only such a finding may prune; any other one moves
  /// the prior.
  bool exact = false;
  std::string method;     ///< Check::name()
  std::string semantics;  ///< "exact rationals", "least model, closed world", …
  std::string reason;     ///< one sentence for a person
  Span span;              ///< of CheckInput::text
  std::string value;      ///< what the claim should say (the true result), if that is known
};

/// A check sees the question and the work, never expected answers or hidden tests.
struct CheckInput {
  using Clock = std::chrono::steady_clock;

  std::string_view question;
  std::string_view text;                      ///< the step
  std::span<const std::string> earlier = {};  ///< steps that it may build on, in order
  Clock::time_point until = Clock::time_point::max();
};

/// One way to check. Any thread; no state that outlives a call. The text is untrusted: a check
/// bounds its time (by `until` and by a limit of its own), its memory and its depth.
class Check {
 public:
  virtual ~Check() = default;
  virtual std::string_view name() const = 0;
  /// One finding for each claim of the text that it understands, in order; none if there is none.
  virtual std::vector<Finding> Run(const CheckInput& input) const = 0;
};

}  // namespace ergo::reasoning
