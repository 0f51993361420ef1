#include "reasoning/model/engine_model.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include "generate/branch.h"
#include "generate/constrain/compile.h"

namespace ergo::reasoning {
namespace {

using generate::constrain::Constraint;

/// Compiled grammars that are kept; a strategy uses a handful.
constexpr std::size_t kMostGrammars = 256;

class EngineBranch final : public Branch {
 public:
  EngineBranch(generate::Branch place, std::string text)
      : place_(std::move(place)), text_(std::move(text)) {}
  std::string_view text() const override { return text_; }
  const generate::Branch& place() const { return place_; }

 private:
  generate::Branch place_;
  std::string text_;
};

class EngineModel final : public TextModel {
 public:
  EngineModel(std::shared_ptr<generate::LanguageModel> model, std::string name_space, int priority)
      : model_(std::move(model)), name_space_(std::move(name_space)), priority_(priority) {}

  std::string name() const override {
    return std::filesystem::path(model_->files().path).filename().string();
  }
  std::string hash() const override {
    std::call_once(hashed_, [this] { hash_ = model_->digest(); });
    return hash_;
  }
  std::string family() const override { return model_->model().config().architecture; }

  Result<BranchPtr> Begin(const Prompt& prompt) override;
  void ContinueEach(std::vector<Continuation> continuations, const HearDrawn& hear,
                    const std::function<bool()>& cancelled) override;
  Result<std::vector<double>> Score(const BranchPtr& from,
                                    std::span<const std::string> texts) override;

 private:
  /// Text that nobody typed: its special tokens are text.
  static constexpr tokenizer::EncodeOptions kPlain = {.add_special = false, .parse_special = false};

  Result<std::shared_ptr<const Constraint>> ConstraintFor(const std::string& grammar);
  Result<generate::Extension> ExtensionFor(const Continuation& continuation);
  Drawn ToDrawn(const Continuation& continuation, generate::Extended extended) const;

  std::shared_ptr<generate::LanguageModel> model_;
  const std::string name_space_;
  const int priority_;
  mutable std::once_flag hashed_;
  mutable std::string hash_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Constraint>> constraints_;  ///< by their grammar
};

/// A chat without a template, for models that have none.
std::string PlainChat(const Prompt& prompt) {
  std::string text;
  for (const Message& message : prompt.messages) text += message.text + "\n\n";
  return text;
}

Result<BranchPtr> EngineModel::Begin(const Prompt& prompt) {
  std::vector<generate::TokenId> tokens;
  if (model_->HasChatTemplate()) {
    auto encoded = model_->EncodeChat(ChatOf(prompt));
    if (!encoded) return Fail(std::move(encoded));
    tokens = *std::move(encoded);
  } else {
    tokens = model_->tokenizer().Encode(PlainChat(prompt));
  }
  const auto start = model_->tokenizer().Encode(prompt.answer_start, kPlain);
  tokens.insert(tokens.end(), start.begin(), start.end());
  if (tokens.empty()) return Fail("the prompt is empty", "prompt");
  if (tokens.size() >= model_->context()) {
    return Fail(fmt::format("the prompt of {} tokens does not fit the context of {}", tokens.size(),
                            model_->context()),
                "prompt", "shorten it or choose a longer context");
  }
  return std::make_shared<const EngineBranch>(generate::Branch(std::move(tokens)),
                                              prompt.answer_start);
}

Result<std::shared_ptr<const Constraint>> EngineModel::ConstraintFor(const std::string& grammar) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = constraints_.find(grammar);
    if (found != constraints_.end()) return found->second;
  }
  auto compiled = generate::constrain::CompileGbnf(grammar, "grammar of a continuation");
  if (!compiled) return Fail(std::move(compiled));
  auto table = model_->token_table();
  if (!table) return Fail(std::move(table));
  auto constraint = Constraint::Create(*std::move(compiled), *std::move(table));
  if (!constraint) return constraint;
  const std::lock_guard lock(mutex_);
  if (constraints_.size() >= kMostGrammars) constraints_.clear();
  constraints_[grammar] = *constraint;
  return constraint;
}

Result<generate::Extension> EngineModel::ExtensionFor(const Continuation& continuation) {
  const auto& from = static_cast<const EngineBranch&>(*continuation.from);
  const Draw& draw = continuation.draw;
  generate::Extension extension;
  extension.from = from.place();
  extension.append = model_->tokenizer().Encode(continuation.append, kPlain);
  generate::AnswerOptions& options = extension.options;
  options.name_space = name_space_;
  options.priority = priority_;
  options.max_tokens = draw.max_tokens;
  options.sampling.temperature = draw.temperature;
  options.sampling.top_p = draw.top_p;
  options.sampling.seed = draw.seed;
  options.stop = draw.stop;
  if (draw.logprobs) options.logprobs = 0;
  if (!draw.grammar.empty()) {
    auto constraint = ConstraintFor(draw.grammar);
    if (!constraint) return Fail(std::move(constraint));
    options.constraint = *std::move(constraint);
  }
  return extension;
}

Drawn EngineModel::ToDrawn(const Continuation& continuation, generate::Extended extended) const {
  generate::GenerateResult& result = extended.result;
  Drawn drawn;
  drawn.tokens = result.tokens.size();
  drawn.given = result.usage.prompt_tokens;
  drawn.cached = result.usage.cached_tokens;
  for (const generate::TokenScore& score : result.logprobs) {
    drawn.logprobs.push_back(
        {model_->tokenizer().PieceBytes(score.token), static_cast<double>(score.logprob)});
  }
  switch (result.finish_reason) {
    case generate::FinishReason::kStop:
      drawn.end = extended.ended ? DrawEnd::kEnd : DrawEnd::kStop;
      break;
    case generate::FinishReason::kLength:
      drawn.end = DrawEnd::kLength;
      break;
    case generate::FinishReason::kCancel:
      drawn.end = DrawEnd::kCancel;
      break;
  }
  // Text behind the branch's last token may differ from what is shown by a stop string.
  const std::span<const generate::TokenId> written(extended.branch.tokens());
  const std::size_t before = drawn.given;
  const auto whole = written.subspan(std::min(before, written.size()));
  drawn.branch = std::make_shared<const EngineBranch>(
      extended.branch, std::string(continuation.from->text()) + continuation.append +
                           model_->tokenizer().Decode(whole, true));
  drawn.text = std::move(result.text);
  return drawn;
}

void EngineModel::ContinueEach(std::vector<Continuation> continuations, const HearDrawn& hear,
                               const std::function<bool()>& cancelled) {
  // A continuation that cannot be asked for is heard of at once.
  const auto ask = [&](std::size_t index) -> std::optional<generate::Extension> {
    while (true) {
      auto extension = ExtensionFor(continuations[index]);
      if (extension) return *std::move(extension);
      auto next = hear(index, Fail(std::move(extension)));
      if (!next) return std::nullopt;
      continuations[index] = *std::move(next);
    }
  };
  std::vector<generate::Extension> extensions;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < continuations.size(); ++i) {
    if (auto extension = ask(i)) {
      extensions.push_back(*std::move(extension));
      owners.push_back(i);
    }
  }
  generate::ExtendEach(
      *model_, std::move(extensions),
      [&](std::size_t place,
          Result<generate::Extended> extended) -> std::optional<generate::Extension> {
        const std::size_t index = owners[place];
        Result<Drawn> drawn =
            extended ? Result<Drawn>(ToDrawn(continuations[index], *std::move(extended)))
                     : Result<Drawn>(Fail(std::move(extended)));
        auto next = hear(index, std::move(drawn));
        if (!next) return std::nullopt;
        continuations[index] = *std::move(next);
        return ask(index);
      },
      cancelled);
}

Result<std::vector<double>> EngineModel::Score(const BranchPtr& from,
                                               std::span<const std::string> texts) {
  std::vector<std::vector<generate::TokenId>> continuations;
  for (const std::string& text : texts) {
    continuations.push_back(model_->tokenizer().Encode(text, kPlain));
    if (continuations.back().empty()) return Fail("there is nothing to score", "score");
  }
  const auto scores =
      generate::ScoreAfter(*model_, static_cast<const EngineBranch&>(*from).place(), continuations);
  if (!scores) return tl::unexpected(scores.error());
  std::vector<double> sums;
  for (const std::vector<float>& row : *scores) {
    sums.push_back(std::accumulate(row.begin(), row.end(), 0.0));
  }
  return sums;
}

}  // namespace

std::unique_ptr<TextModel> MakeEngineModel(std::shared_ptr<generate::LanguageModel> model,
                                           std::string name_space, int priority) {
  return std::make_unique<EngineModel>(std::move(model), std::move(name_space), priority);
}

generate::ChatInput ChatOf(const Prompt& prompt) {
  generate::ChatInput chat;
  chat.messages = OrderedJson::array();
  for (const Message& message : prompt.messages) {
    chat.messages.push_back({{"role", message.role}, {"content", message.text}});
  }
  return chat;
}

}  // namespace ergo::reasoning
