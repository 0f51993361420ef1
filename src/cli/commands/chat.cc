// `ergo chat`: a conversation in the terminal.
#include "generate/chat.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/engine_choice.h"
#include "cli/sampling_choice.h"
#include "cli/suggest.h"
#include "cli/terminal.h"
#include "cli/thought_view.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kMostConversation = std::size_t{64} << 20;

struct Settings {
  EngineChoice engine;
  SamplingChoice sampling;
  std::optional<std::int64_t> max_tokens;
  std::string system;
  std::string policy = "stop";
  bool stats = false;
};

/// The conversation with its person: reads lines, runs / commands, shows answers.
class Conversation {
 public:
  Conversation(std::unique_ptr<generate::Chat> chat, generate::AnswerOptions options, bool stats)
      : chat_(std::move(chat)), options_(std::move(options)), stats_(stats) {}

  /// Until the input ends or /bye.
  Result<int> Run();

 private:
  struct SlashCommand {
    std::string_view name;
    std::string_view argument;
    std::string_view help;
    Status (Conversation::*run)(const std::string& argument);
  };
  static const std::array<SlashCommand, 9> kSlashCommands;

  /// One message, which may take several lines; false at the end of the input.
  bool ReadMessage(std::string* message);
  Status Handle(const std::string& message);
  Status RunSlash(const std::string& message);
  Status ShowReply(const Result<generate::ChatReply>& reply);
  Status Ask(const std::string& text);

  Status Bye(const std::string& argument);
  Status Clear(const std::string& argument);
  Status Help(const std::string& argument);
  Status Load(const std::string& argument);
  Status Retry(const std::string& argument);
  Status Save(const std::string& argument);
  Status Stats(const std::string& argument);
  Status System(const std::string& argument);
  Status Undo(const std::string& argument);

  std::unique_ptr<generate::Chat> chat_;
  generate::AnswerOptions options_;
  bool stats_;
  bool ended_ = false;
  bool at_terminal_ = IsTerminal(STDIN_FILENO);
  LineReader reader_;
  Status printed_;
};

/// Sorted by name.
constexpr std::array<Conversation::SlashCommand, 9> Conversation::kSlashCommands = {{
    {"bye", "", "end (so does Ctrl-D)", &Conversation::Bye},
    {"clear", "", "forget the conversation, keep the system message", &Conversation::Clear},
    {"help", "", "show this", &Conversation::Help},
    {"load", "FILE", "go on from a saved conversation", &Conversation::Load},
    {"retry", "", "answer the last message again", &Conversation::Retry},
    {"save", "FILE", "write the conversation as JSON", &Conversation::Save},
    {"stats", "", "show or hide how fast answers are", &Conversation::Stats},
    {"system", "TEXT", "set the system message; empty removes it", &Conversation::System},
    {"undo", "", "take the last message back", &Conversation::Undo},
}};

Status Conversation::Bye(const std::string& /*argument*/) {
  ended_ = true;
  return {};
}

Status Conversation::Clear(const std::string& /*argument*/) {
  chat_->Clear();
  Note("forgotten");
  return {};
}

Status Conversation::Help(const std::string& /*argument*/) {
  for (const SlashCommand& command : kSlashCommands) {
    fmt::print(stderr, "  /{:<13} {}\n", fmt::format("{} {}", command.name, command.argument),
               command.help);
  }
  fmt::print(stderr,
             "  A line that ends in \\ goes on in the next one; so does everything between two\n"
             "  lines of \"\"\". Ctrl-C stops an answer.\n");
  return {};
}

Status Conversation::Load(const std::string& argument) {
  const Result<std::string> text = ReadFile(argument, kMostConversation);
  if (!text) return tl::unexpected(text.error());
  Result<OrderedJson> messages = ParseOrderedJson(*text, argument);
  if (!messages) return tl::unexpected(messages.error());
  if (Status set = chat_->SetMessages(std::move(*messages)); !set) return set;
  Note(fmt::format("{} messages", chat_->messages().size()));
  return {};
}

Status Conversation::Retry(const std::string& /*argument*/) {
  const std::optional<std::string> text = chat_->TakeBackTurn();
  if (!text) return Fail("there is nothing to answer again");
  // The same seed would give the same answer.
  ++options_.sampling.seed;
  return Ask(*text);
}

Status Conversation::Save(const std::string& argument) {
  if (argument.empty()) return Fail("which file?", "/save", "/save FILE");
  std::ofstream file(argument);
  file << chat_->messages().dump(2, ' ', false, OrderedJson::error_handler_t::replace) << '\n';
  file.close();
  if (!file) return Fail(std::strerror(errno), argument);
  Note(fmt::format("wrote {} messages to {}", chat_->messages().size(), argument));
  return {};
}

Status Conversation::Stats(const std::string& /*argument*/) {
  stats_ = !stats_;
  Note(stats_ ? "speeds are shown" : "speeds are hidden");
  return {};
}

Status Conversation::System(const std::string& argument) {
  chat_->SetSystem(argument);
  Note(argument.empty() ? "no system message" : "the system message is set");
  return {};
}

Status Conversation::Undo(const std::string& /*argument*/) {
  if (!chat_->TakeBackTurn()) return Fail("there is nothing to take back");
  Note(fmt::format("taken back; {} messages are left", chat_->messages().size()));
  return {};
}

bool Conversation::ReadMessage(std::string* message) {
  message->clear();
  bool block = false;
  bool going_on = false;
  while (true) {
    if (at_terminal_) {
      fmt::print(stderr, "{}",
                 Styled(Style::kBold, block || going_on ? "... " : ">>> ", STDERR_FILENO));
    }
    std::string line;
    const LineReader::Outcome outcome = reader_.Next(&line);
    if (outcome == LineReader::Outcome::kInterrupted) {
      InterruptGuard::Clear();
      fmt::print(stderr, "\n");
      Note("Ctrl-D or /bye ends the conversation");
      message->clear();
      block = going_on = false;
      continue;
    }
    if (outcome == LineReader::Outcome::kEnd) return !message->empty();
    if (line == "\"\"\"") {
      if (block) return true;
      block = true;
      continue;
    }
    going_on = !block && line.ends_with('\\');
    if (going_on) line.back() = '\n';
    *message += line;
    if (block) *message += '\n';
    if (!block && !going_on) return true;
  }
}

Status Conversation::ShowReply(const Result<generate::ChatReply>& reply) {
  if (!reply) return tl::unexpected(reply.error());
  if (!printed_) return printed_;
  const generate::GenerateResult& answer = reply->answer;
  if (Status done = Print("\n"); !done) return done;
  if (reply->dropped_messages > 0) {
    Note(fmt::format("the context of {} tokens was full: the oldest {} messages are forgotten",
                     chat_->model().context(), reply->dropped_messages));
  }
  if (answer.context_full) {
    Note(
        fmt::format("the context of {} tokens is full; /clear begins anew, --context-policy drop "
                    "forgets the oldest turns",
                    chat_->model().context()));
  }
  if (answer.finish_reason == generate::FinishReason::kCancel) Note("stopped");
  if (stats_) {
    Note(fmt::format(
        "{} tokens, {:.1f} a second; {} of the prompt's {} tokens were new, first "
        "token after {:.0f} ms; {} of {} tokens of context used",
        answer.usage.completion_tokens, answer.timings.decode_tokens_per_second,
        answer.usage.prompt_tokens - answer.usage.cached_tokens, answer.usage.prompt_tokens,
        answer.timings.first_token_ms, chat_->tokens_used(), chat_->model().context()));
  }
  return {};
}

Status Conversation::Ask(const std::string& text) {
  ThoughtView thought;
  generate::AnswerOptions options = options_;
  options.on_thought = [&thought](std::string_view part) {
    thought.Show(part);
    return true;
  };
  const auto reply = chat_->Send(text, options, [&](std::string_view part) {
    thought.End();
    printed_ = Print(part);
    return printed_.has_value();
  });
  thought.End();
  InterruptGuard::Clear();
  return ShowReply(reply);
}

Status Conversation::RunSlash(const std::string& message) {
  const std::size_t space = message.find(' ');
  const std::string name = message.substr(1, space == std::string::npos ? space : space - 1);
  const std::string argument = space == std::string::npos ? "" : message.substr(space + 1);
  std::vector<std::string> names;
  for (const SlashCommand& command : kSlashCommands) {
    if (command.name == name) return (this->*command.run)(argument);
    names.emplace_back(command.name);
  }
  const auto nearest = Nearest(name, names);
  return Fail(fmt::format("there is no command /{}", name), "",
              nearest ? fmt::format("did you mean /{}?", *nearest) : "/help lists them");
}

Status Conversation::Handle(const std::string& message) {
  if (message.find_first_not_of(" \t\r\n") == std::string::npos) return {};
  return message.starts_with('/') ? RunSlash(message) : Ask(message);
}

Result<int> Conversation::Run() {
  std::string message;
  while (!ended_ && ReadMessage(&message)) {
    const Status handled = Handle(message);
    if (!printed_) return tl::unexpected(printed_.error());
    if (handled) continue;
    // At a terminal one can try again; a script must hear of it.
    if (!at_terminal_) return tl::unexpected(handled.error());
    fmt::print(stderr, "{} {}\n", Styled(Style::kRed, "error:", STDERR_FILENO),
               handled.error().Message());
  }
  if (at_terminal_ && !ended_) fmt::print(stderr, "\n");
  return kOk;
}

Result<int> ChatCommand(const Settings& settings) {
  const InterruptGuard guard;
  const auto model = LoadLanguageModel(settings.engine);
  if (!model) return tl::unexpected(model.error());
  generate::ChatOptions chat_options;
  chat_options.system = settings.system;
  chat_options.policy =
      settings.policy == "drop" ? generate::ContextPolicy::kDrop : generate::ContextPolicy::kStop;
  auto chat = generate::Chat::Create(*model, std::move(chat_options));
  if (!chat) return tl::unexpected(chat.error());

  generate::AnswerOptions options;
  if (settings.max_tokens) options.max_tokens = static_cast<std::size_t>(*settings.max_tokens);
  options.sampling = (*model)->default_sampling();
  options.stop = settings.sampling.stop;
  options.cancelled = InterruptGuard::Requested;
  if (Status done = ApplySampling(settings.sampling, &options.sampling); !done) {
    return tl::unexpected(done.error());
  }
  if (Status done = generate::CheckOptions(**model, options); !done) {
    return tl::unexpected(done.error());
  }
  if (IsTerminal(STDIN_FILENO)) {
    Note(fmt::format("{}; /help lists the commands", (*model)->files().path));
  }
  if (InterruptGuard::Requested()) return kInterrupted;
  return Conversation(std::move(*chat), std::move(options), settings.stats).Run();
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  AddEngineOptions(options, &settings->engine);
  AddContextOption(options, &settings->engine);
  options.Choice("--context-policy", &settings->policy, "stop|drop",
                 "when the context is full: stop, or drop the oldest turns");
  options.Number("-n,--max-tokens", &settings->max_tokens, "TOKENS", "most tokens of an answer",
                 {1, 1 << 30});
  AddSamplingOptions(options, &settings->sampling);
  options.Text("--system", &settings->system, "TEXT", "the first, system message");
  options.Flag("--stats", &settings->stats, "say after each answer how fast it was");
  options.Further();
  AddMemoryOptions(options, &settings->engine);
  AddFurtherSamplingOptions(options, &settings->sampling);
  AddFormatOptions(options, &settings->engine);
  options.Note(
      "Ctrl-C stops an answer; Ctrl-D or /bye ends the conversation; /help lists the rest.");
  return [settings] { return ChatCommand(*settings); };
}

}  // namespace

const Command kChat = {"chat", "[options]", "Have a conversation", Prepare};

}  // namespace ergo::cli
