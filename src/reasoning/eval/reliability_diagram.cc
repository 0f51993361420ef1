#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reasoning/eval/report.h"

namespace ergo::reasoning::eval {

namespace {

constexpr double kLeft = 70;
constexpr double kTop = 64;
constexpr double kSide = 360;  ///< of the square
constexpr double kHistogramTop = 470;
constexpr double kHistogramHeight = 70;
constexpr std::size_t kBars = 20;

double X(double confidence) { return kLeft + kSide * confidence; }
double Y(double accuracy) { return kTop + kSide * (1 - accuracy); }

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string Axes() {
  std::string svg;
  for (int tenth = 0; tenth <= 10; tenth += 2) {
    const double share = tenth / 10.0;
    svg += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}M{:.1f} {:.1f}V{:.1f}\"/>\n",
                       X(0), Y(share), X(1), X(share), Y(0), Y(1));
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}%</text>\n", X(0) - 8,
                       Y(share) + 4, 10 * tenth);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}%</text>\n",
                       X(share), kHistogramTop + kHistogramHeight + 18, 10 * tenth);
  }
  svg += fmt::format("<path class=\"ideal\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", X(0), Y(0),
                     X(1), Y(1));
  svg += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">confidence</text>\n"
      "<text transform=\"translate(18 {:.1f}) rotate(-90)\" text-anchor=\"middle\">right</text>\n"
      "<text x=\"{:.1f}\" y=\"{:.1f}\">answers</text>\n",
      X(0.5), kHistogramTop + kHistogramHeight + 40, Y(0.5), X(0), kHistogramTop - 8);
  return svg;
}

std::string Bins(std::span<const Outcome> outcomes) {
  std::string svg;
  std::string line;
  for (const ReliabilityBin& bin : EqualMassBins(outcomes)) {
    const auto right =
        static_cast<std::size_t>(bin.accuracy * static_cast<double>(bin.count) + 0.5);
    const Interval interval = Proportion(right, bin.count);
    svg += fmt::format("<path class=\"interval\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>\n",
                       X(bin.confidence), Y(interval.low), Y(interval.high));
    svg += fmt::format(
        "<circle class=\"bin\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"><title>{} answers: confidence "
        "{:.1f}%, right {:.1f}%</title></circle>\n",
        X(bin.confidence), Y(bin.accuracy), bin.count, 100 * bin.confidence, 100 * bin.accuracy);
    line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", X(bin.confidence),
                        Y(bin.accuracy));
  }
  return fmt::format("<path class=\"curve\" d=\"{}\"/>\n", line) + svg;
}

std::string Histogram(std::span<const Outcome> outcomes) {
  std::array<std::size_t, kBars> counts = {};
  for (const Outcome& outcome : outcomes) {
    const double place = std::clamp(outcome.confidence, 0.0, 1.0) * kBars;
    ++counts[std::min(static_cast<std::size_t>(place), kBars - 1)];
  }
  const std::size_t most =
      std::max<std::size_t>(*std::max_element(counts.begin(), counts.end()), 1);
  std::string svg;
  for (std::size_t i = 0; i < kBars; ++i) {
    const double height =
        kHistogramHeight * static_cast<double>(counts[i]) / static_cast<double>(most);
    svg += fmt::format(
        "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
        X(static_cast<double>(i) / kBars) + 1, kHistogramTop + kHistogramHeight - height,
        kSide / kBars - 2, height);
  }
  return svg;
}

}  // namespace

std::string ReliabilityDiagram(std::span<const Outcome> outcomes, const std::string& title,
                               std::uint64_t seed) {
  const Interval error = CalibrationErrorInterval(outcomes, seed);
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 520 600\" width=\"520\" "
      "height=\"600\" role=\"img\">\n<style>\n"
      "svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#333}.title{font-size:15px;"
      "font-weight:600}\n"
      ".grid{stroke:#ddd}.ideal{stroke:#999;stroke-dasharray:5 4}.curve{stroke:#1f6feb;fill:none;"
      "stroke-opacity:.45}\n"
      ".interval{stroke:#1f6feb;stroke-width:2}.bin{fill:#1f6feb}.bar{fill:#8a9bb3}\n"
      "@media(prefers-color-scheme:dark){svg{background:#14181f}text{fill:#ccd}.grid{stroke:#333}"
      ".bar{fill:#5c6b82}}\n</style>\n";
  svg +=
      fmt::format("<text class=\"title\" x=\"{:.1f}\" y=\"24\">{}</text>\n", X(0), Escaped(title));
  svg += fmt::format(
      "<text x=\"{:.1f}\" y=\"44\">{} answers; ECE {:.3f} [{:.3f}, {:.3f}]; AUROC {:.3f}; Brier "
      "{:.3f}</text>\n",
      X(0), outcomes.size(), error.value, error.low, error.high, Auroc(outcomes), Brier(outcomes));
  return svg + Axes() + Bins(outcomes) + Histogram(outcomes) + "</svg>\n";
}

}  // namespace ergo::reasoning::eval
