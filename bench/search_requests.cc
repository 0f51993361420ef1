// One tree search, and what it asked of the model:
//   search_requests MODEL [--tokens N] [--seed S] [--requests FILE] [QUESTION]
// Prints branches, tokens and seconds. FILE gets a line for each batch of continuations, a JSON
// array of {"prompt": text, "n_predict": tokens that were drawn}: bench/search sends the same to a
// server that takes text.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "generate/language_model.h"
#include "reasoning/model/engine_model.h"
#include "reasoning/strategies/strategy.h"

namespace {

using namespace ergo;
using namespace ergo::reasoning;

/// A model that keeps a list of what is asked of it, for a search from one prompt.
class Listener final : public TextModel {
 public:
  explicit Listener(std::shared_ptr<generate::LanguageModel> model)
      : words_(model), model_(MakeEngineModel(std::move(model))) {}

  std::string name() const override { return model_->name(); }
  std::string hash() const override { return model_->hash(); }
  std::string family() const override { return model_->family(); }

  Result<BranchPtr> Begin(const Prompt& prompt) override {
    auto text = words_->RenderChat(ChatOf(prompt));
    if (!text) return Fail(std::move(text));
    prompt_ = *std::move(text);
    return model_->Begin(prompt);
  }

  void ContinueEach(std::vector<Continuation> continuations, const HearDrawn& hear,
                    const std::function<bool()>& cancelled) override {
    OrderedJson batch = OrderedJson::array();
    model_->ContinueEach(
        continuations,
        [&](std::size_t index, Result<Drawn> drawn) {
          Continuation& asked = continuations[index];
          if (drawn) {
            batch.push_back({{"prompt", prompt_ + std::string(asked.from->text()) + asked.append},
                             {"n_predict", drawn->tokens}});
          }
          auto next = hear(index, std::move(drawn));
          if (next) asked = *next;
          return next;
        },
        cancelled);
    branches_ += batch.size();
    batches_.push_back(std::move(batch));
  }

  Result<std::vector<double>> Score(const BranchPtr& from,
                                    std::span<const std::string> texts) override {
    return model_->Score(from, texts);
  }

  const std::vector<OrderedJson>& batches() const { return batches_; }
  std::size_t branches() const { return branches_; }

 private:
  std::shared_ptr<generate::LanguageModel> words_;
  std::unique_ptr<TextModel> model_;
  std::string prompt_;
  std::vector<OrderedJson> batches_;
  std::size_t branches_ = 0;
};

int Search(const std::string& path, const Question& question, const SolveSettings& settings,
           const std::string& requests) {
  auto model = generate::LanguageModel::Load(path);
  if (!model) {
    fmt::print(stderr, "{}\n", model.error().Message());
    return 1;
  }
  Listener listener(*std::move(model));
  const auto start = std::chrono::steady_clock::now();
  const auto answer = Solve(listener, "mcts", question, settings);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  if (!answer) {
    fmt::print(stderr, "{}\n", answer.error().Message());
    return 1;
  }
  if (!requests.empty()) {
    std::ofstream file(requests);
    for (const OrderedJson& batch : listener.batches())
      file << batch.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << "\n";
    if (!file.flush()) {
      fmt::print(stderr, "{}: can't be written\n", requests);
      return 1;
    }
  }
  std::size_t widest = 0;
  for (const OrderedJson& batch : listener.batches()) widest = std::max(widest, batch.size());
  fmt::print("{} branches in {} batches of at most {}, {} tokens, {:.2f} s, answer {}\n",
             listener.branches(), listener.batches().size(), widest, answer->trace.budget.tokens,
             passed.count(), answer->value);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One tree search and its requests");
  std::string model;
  std::string requests;
  Question question;
  question.text =
      "A shop has 48 boxes with 25 candles each. It sells 3/5 of the candles at $2 each and the "
      "rest at half of that price. How many dollars does it take in all?";
  SolveSettings settings;
  settings.limits.tokens = 20000;
  settings.seed = 1;
  app.add_option("MODEL", model)->required();
  app.add_option("QUESTION", question.text);
  app.add_option("--tokens", settings.limits.tokens);
  app.add_option("--seed", settings.seed);
  app.add_option("--requests", requests);
  CLI11_PARSE(app, argc, argv);
  return Search(model, question, settings, requests);
}
