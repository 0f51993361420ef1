#include "generate/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "generate/answer_stream.h"
#include "generate/answer_text.h"
#include "generate/answer_texts.h"

namespace ergo::generate {
namespace {

/// Between two looks at `cancelled` while no token comes.
constexpr std::chrono::milliseconds kLook(20);
/// How long one of several answers is waited for before the others are looked at.
constexpr std::chrono::milliseconds kTurn(2);

using Clock = std::chrono::steady_clock;

/// Hands out a part of the texts; false if their reader wants no more.
bool Emit(const AnswerPart& part, const OnText& on_thought, const OnText& on_text) {
  const auto take = [](const OnText& taker, const std::string& text) {
    return text.empty() || !taker || taker(text);
  };
  return take(on_thought, part.thought) && take(on_text, part.text);
}

Status CheckPrompt(const LanguageModel& model, std::span<const TokenId> prompt) {
  if (prompt.empty()) return Fail("the prompt is empty", "request", "give at least one token");
  const std::size_t vocabulary = model.model().config().vocabulary;
  for (const TokenId token : prompt) {
    if (token >= 0 && static_cast<std::size_t>(token) < vocabulary) continue;
    return Fail(fmt::format("the model has no token {}", token), "request",
                fmt::format("token ids are 0 to {}", vocabulary - 1));
  }
  return {};
}

}  // namespace

std::string_view Name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancel:
      break;
  }
  return "cancel";
}

Status CheckOptions(const LanguageModel& model, const AnswerOptions& options) {
  runtime::SamplingParams params = options.sampling;
  params.top_logprobs = options.logprobs.value_or(0);
  if (auto valid = params.Validate(); !valid) return valid;
  if (auto valid = CheckStops(options.stop); !valid) return valid;
  const std::size_t vocabulary = model.model().config().vocabulary;
  const auto known = [&](TokenId token) {
    return token >= 0 && static_cast<std::size_t>(token) < vocabulary;
  };
  for (const TokenId token : options.stop_tokens) {
    if (known(token)) continue;
    return Fail(fmt::format("stop token {} is not one of the model's", token), "request");
  }
  for (const auto& [token, bias] : params.logit_bias) {
    if (known(token)) continue;
    return Fail(fmt::format("the biased token {} is not one of the model's", token), "request",
                fmt::format("give an id below {}", vocabulary));
  }
  return {};
}

Result<std::vector<TokenId>> EncodePrompt(const LanguageModel& model,
                                          const GenerateRequest& request) {
  std::vector<TokenId> tokens;
  if (const auto* ids = std::get_if<std::vector<TokenId>>(&request.prompt)) {
    tokens = *ids;
  } else if (const auto* text = std::get_if<std::string>(&request.prompt);
             text != nullptr && (request.raw || !model.HasChatTemplate())) {
    tokens = model.tokenizer().Encode(*text);
  } else {
    ChatInput chat;
    if (text != nullptr) {
      chat.messages = OrderedJson::array({{{"role", "user"}, {"content", *text}}});
    }
    const auto* given = std::get_if<ChatInput>(&request.prompt);
    auto encoded = model.EncodeChat(given != nullptr ? *given : chat);
    if (!encoded) return encoded;
    tokens = std::move(*encoded);
  }
  if (auto valid = CheckPrompt(model, tokens); !valid) return Fail(std::move(valid));
  return tokens;
}

Status CheckAnswer(const LanguageModel& model, std::span<const TokenId> prompt,
                   const AnswerOptions& options) {
  if (auto valid = CheckOptions(model, options); !valid) return valid;
  if (auto valid = CheckPrompt(model, prompt); !valid) return valid;
  if (prompt.size() <= model.context()) return {};
  return Fail(fmt::format("the prompt of {} tokens is longer than the context of {}", prompt.size(),
                          model.context()),
              "request", "shorten it or choose a longer context");
}

Result<GenerateResult> Answer(LanguageModel& model, std::span<const TokenId> prompt,
                              const AnswerOptions& options, const OnText& on_text) {
  using News = AnswerStream::News;
  auto stream = AnswerStream::Start(model, {prompt.begin(), prompt.end()}, options);
  if (!stream) return Fail(std::move(stream));
  bool wanted = true;
  bool cancelled = false;
  AnswerPart part;
  for (News news = News::kNothing; news != News::kEnd;) {
    if (!cancelled && options.cancelled && options.cancelled()) {
      cancelled = true;
      (*stream)->Cancel();
    }
    news = (*stream)->Wait(
        &part, options.cancelled && !cancelled ? Clock::now() + kLook : Clock::time_point::max());
    if (news != News::kPart || !wanted) continue;
    wanted = Emit(part, options.on_thought, on_text);
    if (!wanted) (*stream)->Cancel();
  }
  return (*stream)->Conclude();
}

Result<GenerateResult> Generate(LanguageModel& model, const GenerateRequest& request,
                                const OnText& on_text) {
  const auto prompt = EncodePrompt(model, request);
  if (!prompt) return tl::unexpected(prompt.error());
  return Answer(model, *prompt, request.options, on_text);
}

Result<std::vector<GenerateResult>> GenerateChoices(LanguageModel& model,
                                                    const GenerateRequest& request,
                                                    std::size_t count) {
  const auto prompt = EncodePrompt(model, request);
  if (!prompt) return tl::unexpected(prompt.error());
  using News = AnswerStream::News;
  std::vector<std::unique_ptr<AnswerStream>> streams;
  AnswerOptions options = request.options;
  for (std::size_t i = 0; i < count; ++i) {
    options.sampling.seed = runtime::DeriveSeed(request.options.sampling.seed, i);
    auto stream = AnswerStream::Start(model, *prompt, options);
    if (!stream) return Fail(std::move(stream));
    streams.push_back(std::move(*stream));
  }
  AnswerPart part;
  bool cancelled = false;
  while (true) {
    if (!cancelled && options.cancelled && options.cancelled()) {
      cancelled = true;
      for (auto& stream : streams) stream->Cancel();
    }
    AnswerStream* waiting = nullptr;
    for (auto& stream : streams) {
      News news;
      while ((news = stream->Take(&part)) == News::kPart) {
      }
      if (news == News::kNothing && waiting == nullptr) waiting = stream.get();
    }
    if (waiting == nullptr) break;
    waiting->Wait(&part, Clock::now() + kTurn);
  }
  std::vector<GenerateResult> results;
  for (auto& stream : streams) {
    auto result = stream->Conclude();
    if (!result) return Fail(std::move(result));
    results.push_back(std::move(*result));
  }
  return results;
}

void SetTexts(const LanguageModel& model, std::span<const TokenId> prompt, GenerateResult* result) {
  AnswerTexts texts(model, prompt, {});
  for (const TokenId token : result->tokens) texts.Push(token);
  texts.Finish();
  texts.Store(result);
}

void KeepBest(std::vector<GenerateResult>& answers, std::size_t count) {
  const auto mean = [](const GenerateResult& answer) {
    double sum = 0.0;
    for (const TokenScore& score : answer.logprobs) sum += static_cast<double>(score.logprob);
    return sum / static_cast<double>(std::max<std::size_t>(answer.logprobs.size(), 1));
  };
  std::stable_sort(
      answers.begin(), answers.end(),
      [&](const GenerateResult& a, const GenerateResult& b) { return mean(a) > mean(b); });
  if (answers.size() > count) answers.resize(count);
}

}  // namespace ergo::generate
