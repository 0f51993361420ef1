#include "reasoning/derive/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostShown = 120;  ///< bytes of a line

std::string_view LineAt(std::string_view text, std::size_t place) {
  if (place >= text.size()) return {};
  const std::size_t before = text.rfind('\n', place);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return Trimmed(text.substr(begin, text.find('\n', begin) - begin));
}

/// The first step that computes what the winner never does, or else its first line of its own.
std::string_view PartingLine(const Derivation& other, const Derivation& winner) {
  std::set<std::string_view> known;
  for (const Finding& finding : winner.findings) known.insert(finding.value);
  const Finding* first = nullptr;
  for (const Finding& finding : other.findings) {
    if (other.kind == DerivationKind::kProgram || finding.value.empty()) continue;
    if (known.contains(finding.value)) continue;
    if (first == nullptr || finding.span.begin < first->span.begin) first = &finding;
  }
  if (first != nullptr) return LineAt(other.text, first->span.begin);
  std::set<std::string_view> shared;
  for (const std::string_view line : LinesOf(winner.text)) shared.insert(Trimmed(line));
  for (const std::string_view line : LinesOf(other.text)) {
    if (!Trimmed(line).empty() && !shared.contains(Trimmed(line))) return Trimmed(line);
  }
  return {};
}

std::string Against(const Derivation& other, const Derivation& winner) {
  for (const Finding& finding : other.findings) {
    if (finding.exact && finding.verdict == Verdict::kRefuted) {
      return "a check refuted it: " + finding.reason;
    }
  }
  if (other.missing > winner.missing) {
    return fmt::format("{} of the question's numbers {} not in it", other.missing,
                       other.missing == 1 ? "is" : "are");
  }
  if (other.odd && !winner.odd) return "the question can hardly ask for such a value";
  if (!other.finished) return "it was cut off";
  return "no check tells them apart, only the votes do";
}

}  // namespace

std::string HowItDiffers(const Derivation& other, const Derivation& winner) {
  std::string text;
  std::string line(PartingLine(other, winner));
  if (line.size() > kMostShown) {
    std::size_t end = kMostShown;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    line = line.substr(0, end) + "…";
  }
  if (!line.empty()) text = fmt::format("parts at \"{}\"; ", line);
  return text + Against(other, winner);
}

}  // namespace ergo::reasoning
