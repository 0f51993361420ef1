#include "generate/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "generate/answer_text.h"

namespace ergo::generate {
namespace {

/// Between two looks at `cancelled` while no token comes.
constexpr std::chrono::milliseconds kLook(20);
/// Tokens that the engine may be ahead of the reader; more would be thrown away at a stop string.
constexpr std::size_t kUnread = 8;

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::time_point since, Clock::time_point until) {
  return std::chrono::duration<double, std::milli>(until - since).count();
}

double PerSecond(std::size_t tokens, double milliseconds) {
  return milliseconds > 0.0 ? 1000.0 * static_cast<double>(tokens) / milliseconds : 0.0;
}

/// One run of Answer.
class AnswerRun {
 public:
  AnswerRun(LanguageModel& model, const AnswerOptions& options, const OnText& on_text)
      : model_(model),
        options_(options),
        on_text_(on_text),
        text_(model.tokenizer(), options.stop) {}

  Result<GenerateResult> Run(std::span<const TokenId> prompt);

 private:
  runtime::SequenceOptions SequenceFor() const;
  bool Cancelled() const { return options_.cancelled && options_.cancelled(); }
  bool Ends(TokenId token) const;
  /// Appends to the text; false if its reader wants no more.
  bool Emit(const std::string& part);
  void Finish(FinishReason reason);
  /// Takes the next token; false if it ended the answer.
  bool Take(runtime::DrawnToken token);
  /// Reads the stream to its end.
  Status Read(runtime::TokenStream& stream);
  Status Conclude(const runtime::SequenceEnd& end);

  LanguageModel& model_;
  const AnswerOptions& options_;
  const OnText& on_text_;
  AnswerText text_;

  GenerateResult result_;
  Clock::time_point start_;
  Clock::time_point first_;  ///< token
};

runtime::SequenceOptions AnswerRun::SequenceFor() const {
  runtime::SequenceOptions sequence;
  sequence.sampling = options_.sampling;
  sequence.sampling.logprob = options_.logprobs.has_value();
  sequence.sampling.top_logprobs = options_.logprobs.value_or(0);
  if (options_.max_tokens) sequence.max_tokens = *options_.max_tokens;
  if (!options_.ignore_end) sequence.stop_tokens = model_.end_of_generation();
  sequence.stop_tokens.insert(sequence.stop_tokens.end(), options_.stop_tokens.begin(),
                              options_.stop_tokens.end());
  sequence.unread = kUnread;
  return sequence;
}

bool AnswerRun::Ends(TokenId token) const {
  const auto& ends = model_.end_of_generation();
  if (!options_.ignore_end && std::binary_search(ends.begin(), ends.end(), token)) return true;
  const auto& stops = options_.stop_tokens;
  return std::find(stops.begin(), stops.end(), token) != stops.end();
}

bool AnswerRun::Emit(const std::string& part) {
  if (part.empty()) return true;
  result_.text += part;
  return !on_text_ || on_text_(part);
}

void AnswerRun::Finish(FinishReason reason) {
  result_.finish_reason = reason;
  Emit(text_.Finish());
  // The end of what was held back may complete a stop string.
  if (text_.stopped() && reason == FinishReason::kLength) {
    result_.finish_reason = FinishReason::kStop;
    result_.context_full = false;
  }
}

bool AnswerRun::Take(runtime::DrawnToken token) {
  if (result_.tokens.empty()) first_ = Clock::now();
  result_.tokens.push_back(token.token);
  if (options_.logprobs) {
    result_.logprobs.push_back({token.token, token.logprob, std::move(token.top)});
  }
  if (Ends(token.token)) return true;  // it is the stream's last one and has no text
  const bool wanted = Emit(text_.Push(token.token));
  if (!text_.stopped() && wanted) return true;
  result_.finish_reason = text_.stopped() ? FinishReason::kStop : FinishReason::kCancel;
  return false;
}

Status AnswerRun::Read(runtime::TokenStream& stream) {
  using Wait = runtime::TokenStream::Wait;
  runtime::DrawnToken token;
  while (true) {
    if (Cancelled()) {
      Finish(FinishReason::kCancel);
      return {};
    }
    const Wait news =
        options_.cancelled ? stream.Next(&token, Clock::now() + kLook) : stream.Next(&token);
    if (news == Wait::kEnd) return Conclude(stream.end());
    if (news == Wait::kToken && !Take(std::move(token))) return {};
  }
}

Status AnswerRun::Conclude(const runtime::SequenceEnd& end) {
  using runtime::EndReason;
  switch (end.reason) {
    case EndReason::kStopToken:
    case EndReason::kComplete:
      Finish(FinishReason::kStop);
      break;
    case EndReason::kContext:
      result_.context_full = true;
      Finish(FinishReason::kLength);
      break;
    case EndReason::kLength:
      Finish(FinishReason::kLength);
      break;
    case EndReason::kStopped:
    case EndReason::kDeadline:
      Finish(FinishReason::kCancel);
      break;
    case EndReason::kError:
      return tl::unexpected(end.error.value_or(Error{"the sequence failed", "engine", {}}));
  }
  return {};
}

Result<GenerateResult> AnswerRun::Run(std::span<const TokenId> prompt) {
  start_ = Clock::now();
  result_.usage.prompt_tokens = prompt.size();
  result_.timings.load_ms = model_.load_ms();
  const runtime::Stream stream =
      model_.scheduler().Submit({prompt.begin(), prompt.end()}, SequenceFor());
  if (auto done = Read(*stream); !done) return Fail(std::move(done));
  const auto last = Clock::now();
  // The engine may be a step ahead of a stop string or of a reader who has had enough.
  model_.scheduler().Stop(stream->id());
  runtime::DrawnToken unwanted;
  while (stream->Next(&unwanted) != runtime::TokenStream::Wait::kEnd) {
  }
  const runtime::SequenceEnd& end = stream->end();
  result_.usage.cached_tokens = end.cached_tokens;
  const std::size_t drawn = result_.tokens.size();
  result_.usage.completion_tokens = drawn;
  Timings& timings = result_.timings;
  timings.prompt_ms = 1000.0 * end.prompt_seconds;
  timings.prompt_tokens_per_second =
      PerSecond(prompt.size() - std::min(end.cached_tokens, prompt.size()), timings.prompt_ms);
  if (drawn > 0) {
    timings.first_token_ms = Milliseconds(start_, first_);
    timings.decode_ms = Milliseconds(first_, last);
    timings.decode_tokens_per_second = PerSecond(drawn - 1, timings.decode_ms);
  }
  return std::move(result_);
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

Result<GenerateResult> Answer(LanguageModel& model, std::span<const TokenId> prompt,
                              const AnswerOptions& options, const OnText& on_text) {
  if (auto valid = CheckOptions(model, options); !valid) return Fail(std::move(valid));
  if (auto valid = CheckPrompt(model, prompt); !valid) return Fail(std::move(valid));
  if (prompt.size() > model.context()) {
    return Fail(fmt::format("the prompt of {} tokens is longer than the context of {}",
                            prompt.size(), model.context()),
                "request", "shorten it or choose a longer context");
  }
  return AnswerRun(model, options, on_text).Run(prompt);
}

Result<GenerateResult> Generate(LanguageModel& model, const GenerateRequest& request,
                                const OnText& on_text) {
  const auto prompt = EncodePrompt(model, request);
  if (!prompt) return tl::unexpected(prompt.error());
  return Answer(model, *prompt, request.options, on_text);
}

}  // namespace ergo::generate
