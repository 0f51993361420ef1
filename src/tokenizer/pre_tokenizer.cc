#include "tokenizer/pre_tokenizer.h"

#include <fmt/format.h>

#include <optional>

#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/unicode_class.h"

namespace ergo::tokenizer {
namespace {

struct Span {
  std::size_t begin;
  std::size_t end;
};

/// Whether a byte below 0x80 is a character that a rule takes.
constexpr bool TakesAscii(CharRule rule, std::uint8_t byte) {
  switch (rule) {
    case CharRule::kNumeric:
      return byte >= '0' && byte <= '9';
    case CharRule::kPunctuation:
      return (byte > 0x20 && byte < 0x30) || (byte > 0x39 && byte < 0x41) ||
             (byte > 0x5A && byte < 0x61) || (byte > 0x7A && byte < 0x7F);
    case CharRule::kWhiteSpace:
      break;
  }
  return byte == ' ' || (byte >= 0x09 && byte <= 0x0D);
}

bool Follows(CharRule rule, std::uint32_t point) {
  switch (rule) {
    case CharRule::kNumeric:
      return IsNumeric(point);
    case CharRule::kPunctuation:
      return IsPunctuation(point);
    case CharRule::kWhiteSpace:
      break;
  }
  return IsWhiteSpace(point);
}

/// Finds the matches of one pattern in one text, from left to right.
class Finder {
 public:
  Finder(const SplitPattern& pattern, std::string_view text) : pattern_(pattern), text_(text) {}

  std::optional<Span> Next() {
    return std::visit([this](const auto& pattern) { return Find(pattern); }, pattern_);
  }

 private:
  std::optional<Span> Find(const Regex& regex) {
    if (!matches_) matches_.emplace(regex, text_);
    const auto match = matches_->Next();
    if (!match) return std::nullopt;
    return Span{match->begin, match->end};
  }

  std::optional<Span> Find(ScannerKind kind) {
    if (at_ >= text_.size()) return std::nullopt;
    const std::size_t begin = at_;
    at_ = ScanWord(kind, text_, at_);
    return Span{begin, at_};
  }

  std::optional<Span> Find(const Literal& literal) {
    if (literal.text.empty()) return std::nullopt;
    const std::size_t found = text_.find(literal.text, at_);
    if (found == std::string_view::npos) return std::nullopt;
    at_ = found + literal.text.size();
    return Span{found, at_};
  }

  std::optional<Span> Find(CharRule rule) {
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      const auto byte = static_cast<std::uint8_t>(text_[at_]);
      if (byte < 0x80) {
        ++at_;
        if (TakesAscii(rule, byte)) return Span{begin, at_};
        continue;
      }
      const Utf8Char c = DecodeUtf8(text_.substr(at_));
      at_ += c.bytes;
      if (Follows(rule, c.code_point)) return Span{begin, at_};
    }
    return std::nullopt;
  }

  std::optional<Span> Find(const WordRuns&) {
    enum class Run { kNone, kWord, kOther };
    Run run = Run::kNone;
    std::size_t begin = at_;
    while (at_ < text_.size()) {
      const Utf8Char c = DecodeUtf8(text_.substr(at_));
      const Run kind = IsWhiteSpace(c.code_point)      ? Run::kNone
                       : IsWordCharacter(c.code_point) ? Run::kWord
                                                       : Run::kOther;
      if (run != Run::kNone && kind != run) break;
      if (run == Run::kNone) begin = at_;
      run = kind;
      at_ += c.bytes;
    }
    if (run == Run::kNone) return std::nullopt;
    return Span{begin, at_};
  }

  const SplitPattern& pattern_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<RegexMatches> matches_;
};

/// Joins parts (matches and the text between) into words as a behaviour says.
template <typename Emit>
class Joiner {
 public:
  Joiner(SplitBehavior behavior, bool invert, Emit emit)
      : behavior_(behavior), invert_(invert), emit_(emit) {}

  void Part(Span part, bool is_match) {
    is_match ^= invert_;
    switch (behavior_) {
      case SplitBehavior::kRemoved:
        if (!is_match) emit_(part);
        return;
      case SplitBehavior::kIsolated:
        emit_(part);
        return;
      case SplitBehavior::kContiguous:
        Join(part, open_ && is_match == last_is_match_);
        break;
      case SplitBehavior::kMergedWithPrevious:
        Join(part, open_ && is_match && !last_is_match_);
        break;
      case SplitBehavior::kMergedWithNext:
        Join(part, open_ && !is_match && last_is_match_);
        break;
    }
    last_is_match_ = is_match;
  }

  void Finish() {
    if (open_) emit_(*open_);
    open_.reset();
  }

 private:
  void Join(Span part, bool joined) {
    if (joined) {
      open_->end = part.end;
      return;
    }
    Finish();
    open_ = part;
  }

  SplitBehavior behavior_;
  bool invert_;
  Emit emit_;
  std::optional<Span> open_;
  bool last_is_match_ = false;
};

template <typename Emit>
void Split(const SplitStep& step, std::string_view text, Emit emit) {
  if (const auto* kind = std::get_if<ScannerKind>(&step.pattern)) {
    // Matches cover the text, so that only the behaviours that join or drop them differ.
    if (step.behavior == SplitBehavior::kIsolated) {
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = ScanWord(*kind, text, at);
        emit(Span{at, end});
        at = end;
      }
      return;
    }
  }
  Finder finder(step.pattern, text);
  Joiner<Emit> joiner(step.behavior, step.invert, emit);
  std::size_t done = 0;
  while (const auto match = finder.Next()) {
    if (done != match->begin) joiner.Part({done, match->begin}, false);
    joiner.Part(*match, true);
    done = match->end;
  }
  if (done != text.size()) joiner.Part({done, text.size()}, false);
  joiner.Finish();
}

std::string ReplaceSpaces(std::string_view text, std::string_view replacement) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    if (c == ' ') {
      out.append(replacement);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

const SplitStep& Gpt2Split() {
  static const SplitStep step{ScannerKind::kGpt2, SplitBehavior::kIsolated, false};
  return step;
}

}  // namespace

Result<SplitPattern> MakeSplitPattern(std::string_view regex, const std::string& where) {
  if (const auto kind = ScannerFor(regex)) return SplitPattern(*kind);
  auto compiled = Regex::Compile(regex, where);
  if (!compiled) return Fail(std::move(compiled));
  return SplitPattern(std::move(*compiled));
}

PreTokenizer::PreTokenizer(std::vector<Step> steps) : steps_(std::move(steps)) {
  ends_in_bytes_ = !steps_.empty() && std::holds_alternative<ByteLevelStep>(steps_.back());
}

/// Walks depth first: a word goes through all later steps before the next word is cut, so that the
/// memory used does not grow with the text.
struct PreTokenizer::Runner {
  const PreTokenizer& owner;
  WordSink* sink;

  void Run(std::size_t index, std::string_view text, bool at_start) const {
    if (text.empty()) return;
    if (index == owner.steps_.size()) {
      sink->Word(text);
      return;
    }
    std::visit([&](const auto& step) { Apply(step, index, text, at_start); }, owner.steps_[index]);
  }

  void Apply(const SplitStep& step, std::size_t index, std::string_view text, bool at_start) const {
    const bool last = index + 1 == owner.steps_.size();
    Split(step, text, [&](Span span) {
      const std::string_view word = text.substr(span.begin, span.end - span.begin);
      if (last) {
        if (!word.empty()) sink->Word(word);
      } else {
        Run(index + 1, word, at_start && span.begin == 0);
      }
    });
  }

  void Apply(const ByteLevelStep& step, std::size_t index, std::string_view text,
             bool at_start) const {
    std::string prefixed;
    if (step.add_prefix_space && text.front() != ' ') {
      prefixed.reserve(text.size() + 1);
      prefixed.append(" ").append(text);
      text = prefixed;
    }
    if (!step.use_regex) {
      Bytes(index, text, at_start);
      return;
    }
    Split(Gpt2Split(), text, [&](Span span) {
      Bytes(index, text.substr(span.begin, span.end - span.begin), at_start && span.begin == 0);
    });
  }

  void Bytes(std::size_t index, std::string_view word, bool at_start) const {
    if (index + 1 == owner.steps_.size()) {
      sink->Word(word);
      return;
    }
    std::string written;
    AppendInAlphabet(word, &written);
    Run(index + 1, written, at_start);
  }

  void Apply(const MetaspaceStep& step, std::size_t index, std::string_view text,
             bool at_start) const {
    std::string replaced = ReplaceSpaces(text, step.replacement);
    const bool wanted = step.prepend == MetaspaceStep::Prepend::kAlways ||
                        (step.prepend == MetaspaceStep::Prepend::kFirst && at_start);
    if (wanted && !replaced.starts_with(step.replacement)) replaced.insert(0, step.replacement);
    if (!step.split) {
      Run(index + 1, replaced, at_start);
      return;
    }
    const SplitStep split{Literal{step.replacement}, SplitBehavior::kMergedWithNext, false};
    Split(split, replaced, [&](Span span) {
      Run(index + 1, std::string_view(replaced).substr(span.begin, span.end - span.begin),
          at_start && span.begin == 0);
    });
  }
};

void PreTokenizer::Run(std::string_view text, bool at_start, WordSink* sink) const {
  Runner{*this, sink}.Run(0, text, at_start);
}

}  // namespace ergo::tokenizer
