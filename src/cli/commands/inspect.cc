// `ergo inspect`: what a model expects while it reads a text, what it looks at, and its states.
#include "generate/inspect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/engine_choice.h"
#include "cli/terminal.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kMostInput = std::size_t{16} << 20;
constexpr std::int64_t kAlternatives = 5;
constexpr const char* kExample = R"(ergo inspect "The capital of France is")";

struct Settings {
  EngineChoice engine;
  std::vector<std::string> words;
  std::vector<std::int64_t> layers;
  std::vector<std::int64_t> heads;
  std::vector<std::int64_t> positions;
  std::optional<std::int64_t> alternatives;
  bool attention = false;
  bool hidden = false;
  bool tokens = false;
  bool json = false;
};

std::vector<std::size_t> Sizes(const std::vector<std::int64_t>& numbers) {
  return {numbers.begin(), numbers.end()};
}

std::vector<std::size_t> UpTo(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return numbers;
}

/// The text, or with --tokens the ids that are written there.
Result<std::vector<std::int32_t>> ReadTokens(const Settings& settings,
                                             const generate::LanguageModel& model) {
  std::string text;
  const char* between = settings.tokens ? "," : " ";
  for (const std::string& word : settings.words) text += (text.empty() ? "" : between) + word;
  if (settings.words.empty()) {
    if (IsTerminal(STDIN_FILENO)) return Fail("which text?", "inspect", kExample);
    auto piped = ReadStdin(kMostInput);
    if (!piped) return Fail(std::move(piped));
    text = *std::move(piped);
  }
  if (!settings.tokens) return model.tokenizer().Encode(text);
  // The parser of the command line takes brackets away.
  if (!settings.words.empty() && !text.starts_with('[')) text = "[" + text + "]";
  const auto json = ParseJson(text, "--tokens");
  const char* remedy = "give what `ergo tokenize` prints: [1, 2, 3]";
  if (!json || !json->is_array()) return Fail("not a JSON array of ids", "--tokens", remedy);
  std::vector<std::int32_t> tokens;
  for (const Json& id : *json) {
    const auto vocabulary = static_cast<std::int64_t>(model.model().config().vocabulary);
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 ||
        id.get<std::int64_t>() >= vocabulary) {
      return Fail(fmt::format("{} is not an id of this vocabulary of {}", id.dump(), vocabulary),
                  "--tokens", remedy);
    }
    tokens.push_back(id.get<std::int32_t>());
  }
  return tokens;
}

runtime::InspectRequest RequestFor(const Settings& settings, const generate::LanguageModel& model,
                                   std::vector<std::int32_t> tokens) {
  runtime::InspectRequest request;
  request.tokens = std::move(tokens);
  const std::size_t layers = model.model().config().layers.size();
  if (settings.hidden) {
    request.state_layers = settings.layers.empty() ? UpTo(layers + 1) : Sizes(settings.layers);
  }
  if (settings.attention) {
    request.attention_layers = settings.layers.empty() ? UpTo(layers) : Sizes(settings.layers);
  }
  request.heads = Sizes(settings.heads);
  request.positions = Sizes(settings.positions);
  if (settings.hidden || settings.attention) return request;
  // A token is expected by the one before it. Behind the last position asked for, too.
  request.alternatives = static_cast<int>(settings.alternatives.value_or(kAlternatives));
  if (request.positions.empty()) {
    request.outlooks = UpTo(request.tokens.size());
  } else {
    for (const std::size_t position : request.positions) {
      if (position > 0) request.outlooks.push_back(position - 1);
    }
  }
  request.positions = {};
  return request;
}

std::string TextOf(const generate::LanguageModel& model, std::int32_t token) {
  // A token may be part of a character: its text is then the replacement character.
  return RepairUtf8(model.tokenizer().PieceBytes(token));
}

/// A token's text on one line, in quotes.
std::string Quoted(const generate::LanguageModel& model, std::int32_t token) {
  return Json(TextOf(model, token)).dump();
}

/// One line for each token that is expected, and one for what may follow the text.
std::string Table(const generate::LanguageModel& model, const runtime::InspectRequest& request,
                  const runtime::Inspection& seen) {
  std::string text = fmt::format("{:>5}  {:<20} {:>9} {:>8}  {}\n", "pos", "token", "log-prob",
                                 "entropy", "alternatives");
  if (request.outlooks.size() == request.tokens.size()) {
    text += fmt::format("{:>5}  {}\n", 0, Quoted(model, request.tokens[0]));
  }
  for (std::size_t i = 0; i < seen.outlooks.size(); ++i) {
    const runtime::Outlook& outlook = seen.outlooks[i];
    const std::size_t position = request.outlooks[i] + 1;
    std::string others;
    for (const runtime::TokenLogprob& other : outlook.top) {
      others += fmt::format(" {} {:.2f}", Quoted(model, other.token), other.logprob);
    }
    const bool known = position < request.tokens.size();
    text += fmt::format("{:>5}  {:<20} {:>9} {:>8.3f} {}\n", position,
                        known ? Quoted(model, request.tokens[position]) : "",
                        known ? fmt::format("{:.3f}", *outlook.next_logprob) : "", outlook.entropy,
                        others);
  }
  return text;
}

OrderedJson OutlookJson(const generate::LanguageModel& model,
                        const runtime::InspectRequest& request, std::size_t position,
                        const runtime::Outlook& outlook) {
  OrderedJson json;
  json["position"] = position;
  if (position < request.tokens.size()) {
    json["logprob"] = outlook.next_logprob.value();
  } else {
    json["logprob"] = nullptr;
  }
  json["entropy"] = outlook.entropy;
  json["alternatives"] = OrderedJson::array();
  for (const runtime::TokenLogprob& other : outlook.top) {
    json["alternatives"].push_back(
        {{"id", other.token}, {"text", TextOf(model, other.token)}, {"logprob", other.logprob}});
  }
  return json;
}

/// Rows of `width` numbers, `rows` of them from `values` on.
OrderedJson RowsJson(const float* values, std::size_t rows, std::size_t width) {
  OrderedJson json = OrderedJson::array();
  for (std::size_t row = 0; row < rows; ++row) {
    json.push_back(std::vector<float>(values + row * width, values + (row + 1) * width));
  }
  return json;
}

std::string Report(const generate::LanguageModel& model, const runtime::InspectRequest& request,
                   const runtime::Inspection& seen) {
  OrderedJson json;
  json["model"] = model.files().path;
  json["tokens"] = OrderedJson::array();
  for (const std::int32_t token : request.tokens) {
    json["tokens"].push_back({{"id", token}, {"text", TextOf(model, token)}});
  }
  if (!request.outlooks.empty()) {
    json["expected"] = OrderedJson::array();
    for (std::size_t i = 0; i < seen.outlooks.size(); ++i) {
      json["expected"].push_back(
          OutlookJson(model, request, request.outlooks[i] + 1, seen.outlooks[i]));
    }
  }
  const std::size_t positions = seen.positions.size();
  const bool rows = !request.state_layers.empty() || !request.attention_layers.empty();
  if (rows) json["positions"] = seen.positions;
  if (!request.state_layers.empty()) json["hidden"] = OrderedJson::array();
  for (std::size_t l = 0; l < request.state_layers.size(); ++l) {
    const float* from = seen.states.data() + l * positions * seen.width;
    json["hidden"].push_back(
        {{"layer", request.state_layers[l]}, {"states", RowsJson(from, positions, seen.width)}});
  }
  if (!request.attention_layers.empty()) json["attention"] = OrderedJson::array();
  for (std::size_t l = 0; l < request.attention_layers.size(); ++l) {
    for (std::size_t h = 0; h < seen.heads.size(); ++h) {
      const std::size_t place = (l * seen.heads.size() + h) * positions;
      const float* from = seen.attention.data() + place * seen.tokens;
      json["attention"].push_back({{"layer", request.attention_layers[l]},
                                   {"head", seen.heads[h]},
                                   {"weights", RowsJson(from, positions, seen.tokens)}});
    }
  }
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + '\n';
}

Result<int> Inspect(const Settings& settings) {
  const bool rows = settings.hidden || settings.attention;
  if (!rows && !(settings.layers.empty() && settings.heads.empty())) {
    return Fail("layers and heads are those of --hidden or --attention", "inspect",
                "give one of them, too");
  }
  const auto model = LoadLanguageModel(settings.engine);
  if (!model) return tl::unexpected(model.error());
  auto tokens = ReadTokens(settings, **model);
  if (!tokens) return tl::unexpected(tokens.error());
  const std::size_t count = tokens->size();
  for (const std::int64_t position : settings.positions) {
    if (position < static_cast<std::int64_t>(count)) continue;
    return Fail(fmt::format("the text has no position {}", position), "--positions",
                fmt::format("it has {} tokens, counted from 0", count));
  }
  const runtime::InspectRequest request = RequestFor(settings, **model, std::move(*tokens));
  const auto seen = generate::Inspect(**model, request);
  if (!seen) return tl::unexpected(seen.error());
  const std::string text =
      rows || settings.json ? Report(**model, request, *seen) : Table(**model, request, *seen);
  if (Status printed = Print(text); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Arguments(&settings->words, 0, 100000);
  AddEngineOptions(options, &settings->engine);
  options.Flag("--hidden", &settings->hidden, "the states of layers, as JSON");
  options.Flag("--attention", &settings->attention, "what heads attend to, as JSON");
  options.Numbers("--layers", &settings->layers, "N,…", "of these layers (all)", {0, 1 << 20});
  options.Numbers("--heads", &settings->heads, "N,…", "of these heads (all)", {0, 1 << 20});
  options.Numbers("--positions", &settings->positions, "N,…", "of these tokens (all)",
                  {0, 1 << 30});
  options.Number("--alternatives", &settings->alternatives, "N",
                 fmt::format("likely tokens that are shown ({})", kAlternatives), {0, 1024});
  options.Flag("--tokens", &settings->tokens, "the text is a JSON array of token ids");
  options.Flag("--json", &settings->json, "one JSON object");
  options.Further();
  AddContextOption(options, &settings->engine);
  AddFormatOptions(options, &settings->engine);
  options.Note(
      "The text stands as it is, without a chat template; it may come by pipe. Entropies are in\n"
      "nats. State 0 is the embedding, state L what layer L reads (layers count from 0), and the\n"
      "last one stands behind the final norm.");
  return [settings] { return Inspect(*settings); };
}

}  // namespace

const Command kInspect = {"inspect", "[options] [TEXT…]", "Look inside a model while it reads",
                          Prepare};

}  // namespace ergo::cli
