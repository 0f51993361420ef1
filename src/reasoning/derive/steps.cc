#include "reasoning/derive/steps.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/utf8.h"

namespace ergo::reasoning {
namespace {

constexpr std::string_view kFence = "```";

/// Tokens whose text begins within each step. The texts of the tokens, one after the other, need
/// not be the whole text: values that were put in have none.
class TokenWalk {
 public:
  TokenWalk(std::string_view text, const std::vector<DrawnToken>& tokens)
      : text_(text), tokens_(tokens) {}

  std::vector<TraceToken> Until(std::size_t end) {
    std::vector<TraceToken> taken;
    while (next_ < tokens_.size()) {
      const std::size_t at =
          tokens_[next_].text.empty() ? place_ : text_.find(tokens_[next_].text, place_);
      // A token that cannot be found (part of a character, the end of the answer) stays in place.
      const std::size_t begin = at == std::string_view::npos ? place_ : at;
      if (begin >= end) break;
      if (at != std::string_view::npos) place_ = at + tokens_[next_].text.size();
      // Tokens that are parts of one character are shown as one.
      if (!taken.empty() && FindInvalidUtf8(taken.back().text)) {
        taken.back().text += tokens_[next_].text;
        taken.back().logprob += tokens_[next_].logprob;
      } else {
        taken.push_back({tokens_[next_].text, tokens_[next_].logprob, std::nullopt});
      }
      ++next_;
    }
    return taken;
  }

 private:
  std::string_view text_;
  const std::vector<DrawnToken>& tokens_;
  std::size_t next_ = 0;
  std::size_t place_ = 0;
};

/// Whether there is a letter, digit or other character beyond punctuation.
bool Says(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

}  // namespace

double MeanLogprob(const std::vector<DrawnToken>& tokens) {
  if (tokens.empty()) return 0.0;
  const double sum =
      std::accumulate(tokens.begin(), tokens.end(), 0.0,
                      [](double total, const DrawnToken& token) { return total + token.logprob; });
  return sum / static_cast<double>(tokens.size());
}

std::vector<Span> StepsOf(std::string_view text) {
  std::vector<Span> steps;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.find(kFence) != std::string_view::npos) {
      const std::size_t close = text.find(kFence, at + line.find(kFence) + kFence.size());
      end = close == std::string_view::npos ? text.size()
                                            : std::min(text.find('\n', close), text.size());
    }
    if (Says(text.substr(at, end - at))) steps.push_back({at, end});
    at = end + 1;
  }
  return steps;
}

NodeVerification ToVerification(const Finding& finding) {
  return {finding.method, finding.verdict, finding.exact, finding.semantics,
          finding.reason, finding.span,    finding.value};
}

void RecordSteps(Work& work, const std::vector<DrawnToken>& tokens, Derivation* derivation) {
  derivation->findings = CheckText(work, derivation->text);
  RecordFindings(work, tokens, derivation);
}

void RecordFindings(Work& work, const std::vector<DrawnToken>& tokens, Derivation* derivation) {
  const std::string_view text = derivation->text;
  TokenWalk walk(text, tokens);
  std::string parent;
  int depth = 1;
  for (const Span& step : StepsOf(text)) {
    TraceNode node;
    node.kind = NodeKind::kStep;
    node.text = std::string(text.substr(step.begin, step.end - step.begin));
    node.search.parent = parent;
    node.search.depth = depth++;
    node.tokens = walk.Until(step.end);
    if (!node.tokens.empty()) {
      double sum = 0.0;
      for (const TraceToken& token : node.tokens) sum += token.logprob;
      node.confidence.token = std::exp(sum / static_cast<double>(node.tokens.size()));
      node.kv_new = node.tokens.size();
    }
    for (const Finding& finding : derivation->findings) {
      if (finding.span.begin < step.begin || finding.span.begin >= step.end) continue;
      NodeVerification& verification = node.verification.emplace_back(ToVerification(finding));
      verification.span.begin -= step.begin;
      verification.span.end = std::min(finding.span.end, step.end) - step.begin;
    }
    const std::string id = work.trace().Add(std::move(node));
    if (!parent.empty()) work.trace().Link({parent, id, EdgeType::kPremise, 1.0});
    parent = id;
  }
  derivation->node = parent;
}

}  // namespace ergo::reasoning
