// `ergo template`: renders a chat template.
#include <unistd.h>

#include <memory>
#include <string>

#include "base/json.h"
#include "base/mapped_file.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/model_choice.h"
#include "cli/terminal.h"
#include "formats/model_files.h"
#include "tokenizer/template/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace ergo::cli {

namespace {

constexpr std::size_t kMostInput = std::size_t{64} << 20;
constexpr std::size_t kMostTemplate = std::size_t{1} << 20;

struct Settings {
  std::string model;
  std::string file;
};

/// Sets a variable that the caller left out.
void Supply(const tokenizer::Tokenizer& tokenizer, const char* name,
            std::optional<tokenizer::TokenId> id, OrderedJson* variables) {
  if (id && !variables->contains(name)) (*variables)[name] = tokenizer.Piece(*id);
}

struct Source {
  std::string text;
  std::string where;
};

Result<Source> FromModel(const std::string& name, OrderedJson* variables) {
  const Result<std::string> model = ChooseModel(name);
  if (!model) return tl::unexpected(model.error());
  const auto files = formats::Open(*model, {.need_weights = false});
  if (!files) return tl::unexpected(files.error());
  const auto tokenizer = tokenizer::Tokenizer::Load(*files);
  if (!tokenizer) return tl::unexpected(tokenizer.error());
  if (tokenizer->chat_template().empty()) {
    return Fail("has no chat template", *model, "give one with --file");
  }
  Supply(*tokenizer, "bos_token", tokenizer->bos(), variables);
  Supply(*tokenizer, "eos_token", tokenizer->eos(), variables);
  return Source{tokenizer->chat_template(), *model};
}

Result<Source> FromFile(const std::string& path) {
  Result<std::string> text = ReadFile(path, kMostTemplate);
  if (!text) return tl::unexpected(text.error());
  return Source{std::move(*text), path};
}

Result<int> Render(const Settings& settings) {
  if (!settings.file.empty() && !settings.model.empty()) {
    return Fail("--model and --file exclude each other");
  }
  const Result<std::string> input = ReadStdin(kMostInput);
  if (!input) return tl::unexpected(input.error());
  Result<OrderedJson> variables = ParseOrderedJson(*input, "standard input");
  const char* remedy = R"(give the template's variables: {"messages": [...]})";
  if (!variables) return Fail(variables.error().what, variables.error().where, remedy);
  if (!variables->is_object()) return Fail("not a JSON object", "standard input", remedy);
  const Result<Source> source =
      settings.file.empty() ? FromModel(settings.model, &*variables) : FromFile(settings.file);
  if (!source) return tl::unexpected(source.error());
  const auto parsed = tokenizer::ChatTemplate::Parse(source->text, source->where);
  if (!parsed) return tl::unexpected(parsed.error());
  Result<std::string> text = parsed->Render(*variables);
  if (!text) return tl::unexpected(text.error());
  if (IsTerminal(STDOUT_FILENO)) *text += '\n';
  if (Status printed = Print(*text); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Text("-m,--model", &settings->model, "MODEL", "whose template");
  options.Text("--file", &settings->file, "FILE", "a Jinja template instead of a model's");
  options.Note(
      "Reads a JSON object whose members are the template's variables; bos_token and eos_token\n"
      "come from the model unless given. For example:\n"
      R"(  echo '{"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true}' |)"
      "\n    ergo template");
  return [settings] { return Render(*settings); };
}

}  // namespace

const Command kTemplate = {"template", "[options] < VARIABLES", "Render a chat template", Prepare};

}  // namespace ergo::cli
