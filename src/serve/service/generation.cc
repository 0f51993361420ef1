#include "serve/service/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "generate/constrain/constraint.h"
#include "serve/service/cached_generation.h"
#include "serve/service/plain_generation.h"
#include "serve/service/reasoned_generation.h"
#include "serve/service/service.h"
#include "serve/tool_calls/syntaxes.h"

namespace ergo::serve {
namespace {

/// What templates are given for a tool.
OrderedJson ToolJson(const Tool& tool) {
  OrderedJson function = {{"name", tool.name}, {"description", tool.description}};
  function["parameters"] = tool.parameters;
  return {{"type", "function"}, {"function", std::move(function)}};
}

generate::GenerateRequest PromptOf(const GenerationRequest& request) {
  generate::GenerateRequest prompt;
  prompt.prompt = request.prompt;
  prompt.raw = request.raw;
  auto* chat = std::get_if<generate::ChatInput>(&prompt.prompt);
  if (chat == nullptr || !request.tools || request.tools->choice == ToolChoice::kNone)
    return prompt;
  chat->tools = OrderedJson::array();
  for (const Tool& tool : request.tools->tools) chat->tools.push_back(ToolJson(tool));
  return prompt;
}

/// How forced calls are written: as the model is used to, if that can be told in a grammar.
const ToolSyntax& ForcedSyntax(const ToolSyntax& syntax) {
  return syntax.before.empty() ? kLlamaCalls : syntax;
}

std::optional<Failure> ForceCalls(const ServedModel& model, GenerationRequest* request) {
  if (request->options.constraint) {
    return Failure{FailureKind::kInvalid,
                   "a response format does not go with a forced call",
                   "invalid_value",
                   "tool_choice",
                   {}};
  }
  auto grammar = CompileForcedCalls(ForcedSyntax(*model.tool_syntax), *request->tools);
  if (!grammar) return Refuse(grammar.error(), "tools").value();
  auto table = model->token_table();
  if (!table) return Refuse(table.error()).value();
  auto constraint = generate::constrain::Constraint::Create(*std::move(grammar), *std::move(table));
  if (!constraint) return Refuse(constraint.error(), "tools").value();
  request->options.constraint = *std::move(constraint);
  return std::nullopt;
}

std::optional<Failure> CheckCounts(const GenerationRequest& request) {
  constexpr std::size_t kMostChoices = 128;
  const std::size_t most = std::max(request.choices, request.best_of);
  if (request.choices == 0 || most > kMostChoices) {
    return Failure{FailureKind::kInvalid,
                   fmt::format("n must be 1 to {}", kMostChoices),
                   "invalid_value",
                   "n",
                   {}};
  }
  if (request.best_of != 0 && request.best_of < request.choices) {
    return Failure{
        FailureKind::kInvalid, "best_of must be at least n", "invalid_value", "best_of", {}};
  }
  return std::nullopt;
}

/// A request that nothing is wrong with.
struct Prepared {
  GenerationStart start;
  GenerationRequest request;
  std::vector<generate::TokenId> prompt;
  bool forced = false;  ///< to call tools
};

Served<std::shared_ptr<Generation>> Begin(Prepared prepared) {
  GenerationRequest& request = prepared.request;
  if (request.effort.reasons()) {
    return StartReasoned(std::move(prepared.start), std::move(request));
  }
  const ToolSyntax* syntax = nullptr;
  if (request.tools && request.tools->choice != ToolChoice::kNone) {
    syntax = prepared.start.model->tool_syntax;
    if (prepared.forced) syntax = &ForcedSyntax(*syntax);
  }
  return StartPlain(std::move(prepared.start), std::move(request), std::move(prepared.prompt),
                    syntax);
}

/// From the cache of answers, if it may be there.
Served<std::shared_ptr<Generation>> BeginOrFind(Prepared prepared) {
  Service& service = prepared.start.service;
  std::optional<std::string> key;
  if (AnswerCache* answers = service.answers()) {
    key = answers->KeyOf(prepared.start.principal.owner, prepared.start.model->model,
                         prepared.prompt, prepared.request);
  }
  if (!key) return Begin(std::move(prepared));
  const auto kept = std::make_shared<Prepared>(std::move(prepared));
  CachedStart start = {*service.answers(), service.workers(), *std::move(key),
                       kept->start.prompt_tokens};
  auto on_news = kept->start.on_news;
  start.fresh = [kept](std::function<void()>) { return Begin(std::move(*kept)); };
  start.on_looked = [&service, model = kept->start.model->name,
                     began = kept->start.began](const GenerationOutcome* found) {
    CountLook(service, model, began, found);
  };
  return StartCached(std::move(start), std::move(on_news));
}

}  // namespace

Served<std::vector<generate::TokenId>> EncodeFor(const ServedModel& model,
                                                 const GenerationRequest& request) {
  auto prompt = generate::EncodePrompt(*model.model, PromptOf(request));
  if (!prompt) return Refuse(prompt.error());
  return std::move(*prompt);
}

Served<std::shared_ptr<Generation>> StartGeneration(Service& service, const Principal& principal,
                                                    const std::shared_ptr<ServedModel>& model,
                                                    GenerationRequest request,
                                                    std::function<void()> on_news) {
  if (auto wrong = CheckCounts(request)) return tl::unexpected(std::move(*wrong));
  auto ticket = service.admission().Enter(principal, Admission::Clock::now());
  if (!ticket) {
    ++service.metrics().refused;
    return tl::unexpected(std::move(ticket).error());
  }
  auto prompt = EncodeFor(*model, request);
  if (!prompt) return tl::unexpected(std::move(prompt).error());
  const std::size_t context = (*model)->context();
  if (prompt->size() >= context) {
    return Refuse(FailureKind::kInvalid,
                  fmt::format("the model's context holds {} tokens, and the prompt has {}: nothing "
                              "is left for an answer",
                              context, prompt->size()),
                  "context_length_exceeded", "messages");
  }
  const bool forced = request.tools && (request.tools->choice == ToolChoice::kRequired ||
                                        request.tools->choice == ToolChoice::kNamed);
  if (forced) {
    if (auto failed = ForceCalls(*model, &request)) return tl::unexpected(std::move(*failed));
  }
  generate::AnswerOptions& options = request.options;
  options.name_space = principal.owner;
  options.priority = principal.priority;
  const auto most = service.options().most_time;
  options.deadline = std::chrono::steady_clock::now() + std::min(request.time.value_or(most), most);
  Prepared prepared = {{service, principal, model, std::move(*ticket), std::move(on_news)},
                       std::move(request),
                       std::move(*prompt),
                       forced};
  prepared.start.prompt_tokens = prepared.prompt.size();
  return BeginOrFind(std::move(prepared));
}

}  // namespace ergo::serve
