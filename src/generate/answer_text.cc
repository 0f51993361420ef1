#include "generate/answer_text.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace ergo::generate {
namespace {

constexpr std::size_t kMostStops = 64;
constexpr std::size_t kLongestStop = 4096;

/// Length of the longest end of `text` that `stop` starts with, short of the whole of `stop`.
std::size_t Overlap(std::string_view text, std::string_view stop) {
  std::size_t length = std::min(text.size(), stop.size() - 1);
  while (length > 0 && !text.ends_with(stop.substr(0, length))) --length;
  return length;
}

}  // namespace

Status CheckStops(const std::vector<std::string>& stops) {
  if (stops.size() > kMostStops) {
    return Fail("too many stop strings", "request", "give at most " + std::to_string(kMostStops));
  }
  for (const std::string& stop : stops) {
    if (stop.empty()) return Fail("a stop string is empty", "request", "leave it out");
    if (stop.size() > kLongestStop) {
      return Fail("a stop string is too long", "request",
                  "give at most " + std::to_string(kLongestStop) + " bytes");
    }
    if (FindInvalidUtf8(stop)) return Fail("a stop string is not UTF-8", "request");
  }
  return {};
}

std::string StopFilter::Push(std::string_view text) {
  if (stopped_) return {};
  held_ += text;
  std::size_t found = std::string::npos;
  for (const std::string& stop : stops_) found = std::min(found, held_.find(stop));
  if (found != std::string::npos) {
    stopped_ = true;
    held_.resize(found);
    return std::exchange(held_, {});
  }
  std::size_t keep = 0;
  for (const std::string& stop : stops_) keep = std::max(keep, Overlap(held_, stop));
  std::string certain = held_.substr(0, held_.size() - keep);
  held_.erase(0, certain.size());
  return certain;
}

std::string StopFilter::Finish() { return std::exchange(held_, {}); }

std::string AnswerText::Finish() {
  if (filter_.stopped()) return {};
  std::string text = filter_.Push(decoder_.Finish());
  return text + filter_.Finish();
}

}  // namespace ergo::generate
