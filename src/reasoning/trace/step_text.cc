#include "reasoning/trace/step_text.h"

#include <algorithm>

namespace ergo::reasoning {

Verdict VerdictOf(const TraceNode& node) {
  Verdict verdict = Verdict::kUnchecked;
  for (const NodeVerification& verification : node.verification) {
    if (verification.status == Verdict::kRefuted) return Verdict::kRefuted;
    if (verification.status == Verdict::kVerified) verdict = Verdict::kVerified;
  }
  return verdict;
}

std::string_view MarkOf(Verdict verdict) {
  if (verdict == Verdict::kRefuted) return "✗";
  return verdict == Verdict::kVerified ? "✓" : "?";
}

std::string RefutationOf(const TraceNode& node) {
  for (const NodeVerification& verification : node.verification) {
    if (verification.status == Verdict::kRefuted) return verification.detail;
  }
  return {};
}

std::string StepText(const TraceNode& node) {
  std::string text = node.text;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::vector<const TraceNode*> StepsOfAnswer(const Trace& trace) {
  std::string at;
  for (const TraceNode& node : trace.nodes) {
    if (node.kind == NodeKind::kAnswer) at = node.id;
  }
  std::vector<const TraceNode*> steps;
  while (!at.empty() && steps.size() < trace.nodes.size()) {
    std::string before;
    for (const TraceEdge& edge : trace.edges) {
      const bool premise = edge.type == EdgeType::kPremise || edge.type == EdgeType::kSupports;
      if (premise && edge.to == at && before.empty()) before = edge.from;
    }
    const TraceNode* node = trace.Find(before);
    if (node == nullptr) break;
    steps.push_back(node);
    at = before;
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

}  // namespace ergo::reasoning
