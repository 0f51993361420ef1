// A model that says what a test tells it to: no weights, no tokenizer, a token is a byte.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reasoning/model/text_model.h"

namespace ergo::reasoning::testing {

/// What follows a place: the prompt, the answer so far, and the draw's seed and grammar.
struct ScriptedPlace {
  std::string_view prompt;
  std::string_view answer;
  std::uint64_t seed = 0;
  std::string_view grammar = {};
};
using Script = std::function<std::string(const ScriptedPlace&)>;

/// Any thread, if the script is.
class ScriptedModel final : public TextModel {
 public:
  explicit ScriptedModel(Script script) : script_(std::move(script)) {}

  std::string name() const override { return "scripted"; }
  std::string hash() const override { return "0"; }
  std::string family() const override { return "scripted"; }

  Result<BranchPtr> Begin(const Prompt& prompt) override {
    auto branch = std::make_shared<Place>();
    for (const Message& message : prompt.messages) branch->prompt += message.text + "\n";
    branch->answer = prompt.answer_start;
    return branch;
  }

  void ContinueEach(std::vector<Continuation> continuations, const HearDrawn& hear,
                    const std::function<bool()>& cancelled) override {
    for (std::size_t i = 0; i < continuations.size(); ++i) {
      std::optional<Continuation> next = std::move(continuations[i]);
      while (next) {
        const bool stopped = cancelled && cancelled();
        next = hear(i, stopped ? Nothing(*next) : DrawOne(*next));
        if (stopped) break;
      }
    }
  }

  Result<std::vector<double>> Score(const BranchPtr&, std::span<const std::string> texts) override {
    return std::vector<double>(texts.size(), -1.0);
  }

  std::size_t tokens() const { return tokens_; }  ///< drawn so far

 private:
  struct Place final : Branch {
    std::string_view text() const override { return answer; }
    std::string prompt;
    std::string answer;
  };

  static Drawn Nothing(const Continuation& continuation) {
    Drawn drawn;
    drawn.branch = continuation.from;
    drawn.end = DrawEnd::kCancel;
    return drawn;
  }

  Drawn DrawOne(const Continuation& continuation) {
    const auto& from = static_cast<const Place&>(*continuation.from);
    auto place = std::make_shared<Place>(from);
    place->answer += continuation.append;
    std::string said =
        script_({place->prompt, place->answer, continuation.draw.seed, continuation.draw.grammar});
    Drawn drawn;
    std::size_t end = std::string::npos;
    std::size_t stop_size = 0;
    for (const std::string& stop : continuation.draw.stop) {
      const std::size_t at = said.find(stop);
      if (at < end) {
        end = at;
        stop_size = stop.size();
      }
    }
    const std::size_t most = continuation.draw.max_tokens;
    if (end != std::string::npos && end + stop_size <= most) {
      drawn.end = DrawEnd::kStop;
      drawn.text = said.substr(0, end);
      said.resize(end + stop_size);
    } else {
      drawn.end = said.size() > most ? DrawEnd::kLength : DrawEnd::kEnd;
      said.resize(std::min(said.size(), most));
      drawn.text = said;
    }
    for (const char c : said) drawn.logprobs.push_back({std::string(1, c), -0.5});
    drawn.tokens = said.size();
    tokens_ += said.size();
    place->answer += said;
    drawn.branch = std::move(place);
    return drawn;
  }

  Script script_;
  std::size_t tokens_ = 0;
};

}  // namespace ergo::reasoning::testing
