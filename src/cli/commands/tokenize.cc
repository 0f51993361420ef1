// `ergo tokenize`: text to ids and back.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/model_choice.h"
#include "cli/terminal.h"
#include "formats/model_files.h"
#include "tokenizer/tokenizer.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kMostInput = std::size_t{1} << 30;

struct Settings {
  std::string model;
  bool no_bos = false;
  bool no_parse_special = false;
  bool text = false;
  bool decode = false;
  bool skip_special = false;
};

Result<std::vector<tokenizer::TokenId>> ReadIds(const std::string& input, std::size_t vocabulary) {
  const Result<Json> json = ParseJson(input, "standard input");
  const char* remedy = "give what `ergo tokenize` prints: [1, 2, 3]";
  if (!json) return Fail(json.error().what, json.error().where, remedy);
  const Error wrong = {"not a JSON array of token ids", "standard input", remedy};
  if (!json->is_array()) return tl::unexpected(wrong);
  std::vector<tokenizer::TokenId> ids;
  ids.reserve(json->size());
  for (const Json& element : *json) {
    if (!element.is_number_integer()) return tl::unexpected(wrong);
    const auto id = element.get<std::int64_t>();
    if (id < 0 || id >= static_cast<std::int64_t>(vocabulary)) {
      return Fail(fmt::format("{} is not an id of this vocabulary of {}", id, vocabulary),
                  "standard input");
    }
    ids.push_back(static_cast<tokenizer::TokenId>(id));
  }
  return ids;
}

Result<int> Tokenize(const Settings& settings) {
  const Result<std::string> model = ChooseModel(settings.model);
  if (!model) return tl::unexpected(model.error());
  const auto files = formats::Open(*model, {.need_weights = false});
  if (!files) return tl::unexpected(files.error());
  const auto tokenizer = tokenizer::Tokenizer::Load(*files);
  if (!tokenizer) return tl::unexpected(tokenizer.error());
  const Result<std::string> input = ReadStdin(kMostInput);
  if (!input) return tl::unexpected(input.error());

  std::string out;
  if (settings.decode) {
    const auto ids = ReadIds(*input, tokenizer->size());
    if (!ids) return tl::unexpected(ids.error());
    out = tokenizer->Decode(*ids, settings.skip_special);
    if (IsTerminal(STDOUT_FILENO)) out += '\n';
  } else {
    const auto ids = tokenizer->Encode(
        *input, {.add_special = !settings.no_bos, .parse_special = !settings.no_parse_special});
    out = "[";
    for (const tokenizer::TokenId id : ids) {
      if (out.size() > 1) out += ',';
      if (settings.text) {
        out += Json(tokenizer->Piece(id)).dump(-1, ' ', false, Json::error_handler_t::replace);
      } else {
        out += fmt::format_int(id).c_str();
      }
    }
    out += "]\n";
  }
  if (Status printed = Print(out); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Text("-m,--model", &settings->model, "MODEL", "whose tokenizer");
  options.Flag("--no-bos", &settings->no_bos, "add no special tokens at the ends");
  options.Flag("--no-parse-special", &settings->no_parse_special,
               "special tokens in the text are plain text");
  options.Flag("--text", &settings->text, "print the pieces instead of their ids");
  options.Flag("--decode", &settings->decode, "read a JSON array of ids, print the text");
  options.Flag("--skip-special", &settings->skip_special, "with --decode: without special tokens");
  options.Note("Reads standard input, prints one JSON array.");
  return [settings] { return Tokenize(*settings); };
}

}  // namespace

const Command kTokenize = {"tokenize", "[options] < TEXT", "Turn text into token ids, or back",
                           Prepare};

}  // namespace ergo::cli
