#include "reasoning/eval/calibration_features.h"

#include <algorithm>
#include <set>
#include <string>

namespace ergo::reasoning::eval {

namespace {

double Logit(double chance) {
  const double inside = std::clamp(chance, 0.02, 0.98);
  return std::log(inside / (1 - inside));
}

const TraceNode* AnswerNode(const Trace& trace) {
  const auto found = std::find_if(trace.nodes.rbegin(), trace.nodes.rend(),
                                  [](const TraceNode& n) { return n.kind == NodeKind::kAnswer; });
  return found == trace.nodes.rend() ? nullptr : &*found;
}

/// Ids of the nodes that the answer rests on, its own included. Without edges: all nodes.
std::set<std::string> Foundation(const Trace& trace, const TraceNode& answer) {
  std::set<std::string> reached = {answer.id};
  for (bool grown = true; grown;) {
    grown = false;
    for (const TraceEdge& edge : trace.edges) {
      if (edge.type == EdgeType::kContradicts || !reached.contains(edge.to)) continue;
      grown = reached.insert(edge.from).second || grown;
    }
  }
  if (reached.size() == 1) {
    for (const TraceNode& node : trace.nodes) reached.insert(node.id);
  }
  return reached;
}

void ReadOptional(const OrderedJson& json, const char* name, std::optional<double>* target,
                  std::string* wrong) {
  const auto field = json.find(name);
  if (field == json.end() || field->is_null()) return;
  const double value = field->is_number() ? field->get<double>() : -1;
  if (value >= 0 && value <= 1) {
    *target = value;
  } else {
    *wrong = name;
  }
}

}  // namespace

FeatureValues ValuesOf(const ConfidenceFeatures& features) {
  FeatureValues values = {};
  const auto best = features.raw ? features.raw : features.vote ? features.vote : features.token;
  values[kRawLogit] = best ? Logit(*best) : 0.0;
  values[kRawAbsent] = features.raw ? 0 : 1;
  values[kVote] = features.vote ? *features.vote - 0.5 : 0.0;
  values[kVoteAbsent] = features.vote ? 0 : 1;
  values[kToken] = features.token ? *features.token - 0.5 : 0.0;
  values[kTokenAbsent] = features.token ? 0 : 1;
  values[kVerified] = features.verified ? 1 : 0;
  values[kRefuted] = static_cast<double>(std::min<std::size_t>(features.refuted, 4)) / 4.0;
  values[kAgreement] = features.agreement ? *features.agreement - 0.5 : 0.0;
  values[kAgreementAbsent] = features.agreement ? 0 : 1;
  return values;
}

ConfidenceFeatures FeaturesOf(const Answer& answer) {
  ConfidenceFeatures features;
  features.raw = answer.confidence;
  features.verified = answer.verified;
  const TraceNode* const node = AnswerNode(answer.trace);
  if (!node) return features;
  if (node->confidence.posterior) features.raw = node->confidence.posterior;
  features.vote = node->confidence.vote;
  features.token = node->confidence.token;
  const std::set<std::string> foundation = Foundation(answer.trace, *node);
  for (const TraceNode& of : answer.trace.nodes) {
    if (!foundation.contains(of.id)) continue;
    for (const NodeVerification& check : of.verification) {
      features.refuted += check.status == Verdict::kRefuted ? 1 : 0;
    }
  }
  double same = 0;
  double different = 0;
  for (const TraceEdge& edge : answer.trace.edges) {
    if (edge.to == node->id) ++(edge.type == EdgeType::kContradicts ? different : same);
  }
  if (same + different > 0) features.agreement = same / (same + different);
  return features;
}

OrderedJson ToJson(const ConfidenceFeatures& features) {
  OrderedJson json = OrderedJson::object();
  if (features.raw) json["raw"] = *features.raw;
  if (features.vote) json["vote"] = *features.vote;
  if (features.token) json["token"] = *features.token;
  json["verified"] = features.verified;
  json["refuted"] = features.refuted;
  if (features.agreement) json["agreement"] = *features.agreement;
  return json;
}

Result<ConfidenceFeatures> FeaturesFromJson(const OrderedJson& json, const std::string& where) {
  ConfidenceFeatures features;
  if (!json.is_object()) return Fail("features are not an object", where);
  std::string wrong;
  ReadOptional(json, "raw", &features.raw, &wrong);
  ReadOptional(json, "vote", &features.vote, &wrong);
  ReadOptional(json, "token", &features.token, &wrong);
  ReadOptional(json, "agreement", &features.agreement, &wrong);
  if (const auto field = json.find("verified"); field != json.end()) {
    if (!field->is_boolean()) return Fail("field verified is neither true nor false", where);
    features.verified = field->get<bool>();
  }
  if (const auto field = json.find("refuted"); field != json.end()) {
    if (!field->is_number_unsigned()) return Fail("field refuted is not a count", where);
    features.refuted = field->get<std::size_t>();
  }
  if (!wrong.empty()) return Fail("field " + wrong + " is not a number from 0 to 1", where);
  return features;
}

}  // namespace ergo::reasoning::eval
