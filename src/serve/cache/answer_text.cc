#include "serve/cache/answer_text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ergo::serve {
namespace {

constexpr const char* kWhere = "a cached answer";
constexpr std::array<std::string_view, 3> kEnds = {"stop", "length", "tool_calls"};

Json OfScore(const generate::TokenScore& score) {
  Json top = Json::array();
  for (const auto& other : score.top) top.push_back({other.token, other.logprob});
  return {score.token, score.logprob, std::move(top)};
}

generate::TokenScore ReadScore(const Json& json) {
  generate::TokenScore score;
  score.token = json.at(0).get<generate::TokenId>();
  score.logprob = json.at(1).get<float>();
  for (const Json& other : json.at(2)) {
    score.top.push_back({other.at(0).get<generate::TokenId>(), other.at(1).get<float>()});
  }
  return score;
}

Json OfChoice(const GenerationChoice& choice) {
  Json scores = Json::array();
  for (const auto& score : choice.logprobs) scores.push_back(OfScore(score));
  Json calls = Json::array();
  for (const ToolCall& call : choice.calls) calls.push_back({call.id, call.name, call.arguments});
  return {{"thought", choice.thought},
          {"text", choice.text},
          {"logprobs", std::move(scores)},
          {"calls", std::move(calls)},
          {"finish_reason", choice.finish_reason},
          {"context_full", choice.context_full},
          {"stop_sequence", choice.stop_sequence}};
}

Result<GenerationChoice> ReadChoice(const Json& json) {
  GenerationChoice choice;
  choice.thought = json.at("thought").get<std::string>();
  choice.text = json.at("text").get<std::string>();
  for (const Json& score : json.at("logprobs")) choice.logprobs.push_back(ReadScore(score));
  for (const Json& call : json.at("calls")) {
    choice.calls.push_back({call.at(0).get<std::string>(), call.at(1).get<std::string>(),
                            call.at(2).get<std::string>()});
  }
  // finish_reason is a view: of the word that lives as long as the program.
  const std::string reason = json.at("finish_reason").get<std::string>();
  const auto* end = std::find(kEnds.begin(), kEnds.end(), reason);
  if (end == kEnds.end()) return Fail("unknown finish_reason", kWhere);
  choice.finish_reason = *end;
  choice.context_full = json.at("context_full").get<bool>();
  choice.stop_sequence = json.at("stop_sequence").get<std::string>();
  return choice;
}

}  // namespace

bool IsComplete(const GenerationOutcome& outcome) {
  return !outcome.choices.empty() &&
         std::all_of(outcome.choices.begin(), outcome.choices.end(), [](const auto& choice) {
           return std::find(kEnds.begin(), kEnds.end(), choice.finish_reason) != kEnds.end();
         });
}

std::string WriteAnswer(const GenerationOutcome& outcome) {
  Json choices = Json::array();
  for (const GenerationChoice& choice : outcome.choices) choices.push_back(OfChoice(choice));
  const Json document = {{"choices", std::move(choices)},
                         {"prompt_tokens", outcome.usage.prompt_tokens},
                         {"completion_tokens", outcome.usage.completion_tokens},
                         {"thought_tokens", outcome.thought_tokens},
                         {"trace_id", outcome.trace_id},
                         // As text: their members stay in order.
                         {"steps", outcome.steps.dump()},
                         {"verdict", outcome.verdict.dump()}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<GenerationOutcome> ReadAnswer(std::string_view text) {
  const Result<Json> document = ParseJson(text, kWhere);
  if (!document) return tl::unexpected(document.error());
  // Reading values of a wrong type throws in the JSON library; here that is a damaged answer.
  try {
    GenerationOutcome outcome;
    for (const Json& json : document->at("choices")) {
      Result<GenerationChoice> choice = ReadChoice(json);
      if (!choice) return tl::unexpected(choice.error());
      outcome.choices.push_back(*std::move(choice));
    }
    if (outcome.choices.empty()) return Fail("no choices", kWhere);
    outcome.usage.prompt_tokens = document->at("prompt_tokens").get<std::size_t>();
    outcome.usage.completion_tokens = document->at("completion_tokens").get<std::size_t>();
    outcome.thought_tokens = document->at("thought_tokens").get<std::size_t>();
    outcome.usage.thought_tokens = outcome.thought_tokens;
    outcome.trace_id = document->at("trace_id").get<std::string>();
    for (auto [name, member] :
         {std::pair{"steps", &outcome.steps}, {"verdict", &outcome.verdict}}) {
      auto value = ParseOrderedJson(document->at(name).get<std::string>(), kWhere);
      if (!value) return tl::unexpected(value.error());
      *member = *std::move(value);
    }
    return outcome;
  } catch (const Json::exception& error) {
    return Fail(error.what(), kWhere);
  }
}

}  // namespace ergo::serve
