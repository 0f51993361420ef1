#include <algorithm>
#include <utility>

#include "serve/tool_calls/tool_call.h"

namespace ergo::serve {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// Where `mark` begins in `text`, or where something begins at its end that may become it.
std::size_t FindOrBegin(std::string_view text, std::string_view mark) {
  const std::size_t found = text.find(mark);
  if (found != kNone) return found;
  const std::size_t most = std::min(text.size(), mark.size() - 1);
  for (std::size_t length = most; length > 0; --length) {
    if (text.ends_with(mark.substr(0, length))) return text.size() - length;
  }
  return kNone;
}

}  // namespace

ToolCallReader::Found ToolCallReader::Push(std::string_view text) {
  held_ += text;
  Found found;
  Look(false, &found);
  return found;
}

ToolCallReader::Found ToolCallReader::Finish() {
  Found found;
  Look(true, &found);
  return found;
}

void ToolCallReader::Look(bool at_end, Found* found) {
  // Between calls that are not marked, semicolons part them.
  const auto space = [&] { return called_ && !syntax_->at_start.empty() ? " \t\r\n;" : " \t\r\n"; };
  const auto write = [&](std::size_t count) {
    const std::string_view text = std::string_view(held_).substr(0, count);
    const bool blank = text.find_first_not_of(space()) == kNone;
    // White space around calls belongs to neither.
    if (!blank || !called_) {
      written_ = written_ || !blank;
      found->text += text;
    }
    held_.erase(0, std::min(count, held_.size()));
  };
  while (!held_.empty()) {
    std::size_t start = kNone;
    bool whole = false;
    const auto consider = [&](std::size_t at, std::string_view mark) {
      if (at == kNone || at >= start) return;
      start = at;
      whole = held_.compare(at, mark.size(), mark) == 0;
    };
    for (const std::string_view open : syntax_->opens) consider(FindOrBegin(held_, open), open);
    if (!written_) {
      const std::size_t first = std::min(held_.find_first_not_of(space()), held_.size());
      for (const std::string_view open : syntax_->at_start) {
        if (first == held_.size() ||
            FindOrBegin(std::string_view(held_).substr(first), open) == 0) {
          consider(first, open);
        }
      }
    }
    if (start == kNone) return write(held_.size());
    if (start > 0 && start < held_.size()) write(start);
    if (!whole) return at_end ? write(held_.size()) : void();
    std::size_t used = 0;
    auto calls = syntax_->parse(held_, &used);
    if (!calls) {
      write(1);  // no call after all: the opening is text
      continue;
    }
    if (used == 0) return at_end ? write(held_.size()) : void();
    for (ToolCall& call : *calls) found->calls.push_back(std::move(call));
    called_ = true;
    held_.erase(0, used);
  }
}

}  // namespace ergo::serve
