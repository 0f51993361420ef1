#include "generate/think/think_text.h"

#include <utility>

#include "base/utf8.h"

namespace ergo::generate {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view WithoutLeading(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

std::size_t LengthWithoutTrailing(std::string_view text) {
  return text.find_last_not_of(kSpace) + 1;  // npos + 1 == 0
}

}  // namespace

ThinkText::ThinkText(const tokenizer::Tokenizer& tokenizer, std::shared_ptr<const ThinkTags> tags,
                     ThoughtStart start, std::vector<std::string> stops)
    : decoder_(tokenizer),
      filter_(std::move(stops)),
      splitter_(tags, tags == nullptr ? ThoughtStart::kUnopened : start),
      part_(splitter_.in_thought() ? ThoughtPart::kThought : ThoughtPart::kAnswer),
      trim_answer_(tags != nullptr && start != ThoughtStart::kUnopened) {}

ThinkTextParts ThinkText::Push(tokenizer::TokenId token) {
  ThinkTextParts parts;
  const bool unopened = splitter_.closed_unopened();
  const std::size_t inner = splitter_.inner_closings();
  const std::vector<SplitToken> split = splitter_.Push(token);
  bool moves = splitter_.closed_unopened() && !unopened;
  for (const SplitToken& one : split) {
    Add(one, &parts);
    if (moves && one.part == ThoughtPart::kTag) {
      MoveAnswerToThought();
      moves = false;
    }
  }
  if (splitter_.inner_closings() > inner) inner_end_ = thought_.size();
  return parts;
}

void ThinkText::Add(const SplitToken& token, ThinkTextParts* parts) {
  if (token.part != part_) EndPart(parts);
  if (token.part == ThoughtPart::kThought && token.part != part_ && !thought_.empty()) {
    thought_space_ = "\n\n";  // between one thought and the next
  }
  part_ = token.part;
  if (token.part == ThoughtPart::kTag) {
    trim_answer_ = true;
    space_.clear();
  } else if (token.whole) {
    AddText(token.part, decoder_.Push(token.token), parts);
  } else {
    AddText(token.part, RepairUtf8(token.bytes), parts);
  }
}

void ThinkText::EndPart(ThinkTextParts* parts) {
  if (part_ != ThoughtPart::kTag) AddText(part_, decoder_.Finish(), parts);
}

void ThinkText::AddText(ThoughtPart part, std::string text, ThinkTextParts* parts) {
  if (text.empty()) return;
  if (part == ThoughtPart::kAnswer) {
    // White space at the start may stand before a thought.
    if (answer_.empty()) text.insert(0, std::exchange(space_, {}));
    const std::string_view visible = WithoutLeading(text);
    if (answer_.empty() && visible.empty()) {
      if (!trim_answer_) space_ = std::move(text);
      return;
    }
    const std::string shown = filter_.Push(trim_answer_ ? visible : std::string_view(text));
    trim_answer_ = false;
    answer_ += shown;
    parts->answer += shown;
    return;
  }
  std::string rest = thought_space_ + text;
  if (thought_.empty()) rest = WithoutLeading(rest);
  const std::size_t length = LengthWithoutTrailing(rest);
  thought_space_ = rest.substr(length);
  rest.resize(length);
  thought_ += rest;
  parts->thought += rest;
}

/// The answer so far was a thought.
void ThinkText::MoveAnswerToThought() {
  answer_ += filter_.Finish();
  thought_ = WithoutLeading(answer_);
  thought_.resize(LengthWithoutTrailing(thought_));
  answer_.clear();
}

ThinkTextParts ThinkText::Finish() {
  ThinkTextParts parts;
  for (const SplitToken& token : splitter_.Finish()) Add(token, &parts);
  EndPart(&parts);
  if (splitter_.in_thought() && splitter_.inner_closings() > 0) {
    // A thought within the thought was closed, and then nothing more: that was meant for both.
    const std::string shown = filter_.Push(WithoutLeading(thought_.substr(inner_end_)));
    thought_.resize(LengthWithoutTrailing(std::string_view(thought_).substr(0, inner_end_)));
    answer_ += shown;
    parts.answer += shown;
  }
  if (answer_.empty()) {
    const std::string shown = filter_.Push(std::exchange(space_, {}));
    answer_ += shown;
    parts.answer += shown;
  }
  const std::string rest = filter_.Finish();
  answer_ += rest;
  parts.answer += rest;
  return parts;
}

}  // namespace ergo::generate
