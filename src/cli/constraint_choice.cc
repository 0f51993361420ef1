#include "cli/constraint_choice.h"

#include <memory>

#include "base/mapped_file.h"
#include "generate/constrain/compile.h"

namespace ergo::cli {
namespace {

using generate::constrain::Grammar;
using GrammarPointer = std::shared_ptr<const Grammar>;

constexpr std::size_t kMostText = std::size_t{16} << 20;

Result<GrammarPointer> Compile(const ConstraintChoice& choice) {
  if (!choice.regex.empty()) return generate::constrain::CompileRegex(choice.regex, "--regex");
  if (!choice.one_of.empty()) return generate::constrain::CompileChoices(choice.one_of, "--one-of");
  const std::string& file = choice.json_schema.empty() ? choice.grammar : choice.json_schema;
  if (file.empty()) return GrammarPointer();
  const auto text = ReadFile(file, kMostText);
  if (!text) return tl::unexpected(text.error());
  if (choice.json_schema.empty()) return generate::constrain::CompileGbnf(*text, file);
  return generate::constrain::CompileJsonSchema(*text, {}, file);
}

}  // namespace

void AddConstraintOptions(Options& options, ConstraintChoice* choice) {
  options.Text("--json-schema", &choice->json_schema, "FILE", "the answer is JSON of this schema");
  options.Text("--regex", &choice->regex, "R", "the answer is matched by this expression");
  options.Text("--grammar", &choice->grammar, "FILE", "the answer is of this grammar (GBNF)");
  options.Texts("--one-of", &choice->one_of, "TEXT", "the answer is one of these texts");
  options.Number("--think-budget", &choice->think_budget, "N", "most tokens of thought",
                 {0, 1 << 30});
}

Status ApplyConstraints(const ConstraintChoice& choice, const generate::LanguageModel& model,
                        generate::AnswerOptions* options) {
  if (choice.think_budget) options->think_budget = static_cast<std::size_t>(*choice.think_budget);
  const int given = int{!choice.json_schema.empty()} + int{!choice.regex.empty()} +
                    int{!choice.grammar.empty()} + int{!choice.one_of.empty()};
  if (given == 0) return {};
  if (given > 1) {
    return Fail("an answer can have one constraint only", "run",
                "choose one of --json-schema, --regex, --grammar and --one-of");
  }
  auto grammar = Compile(choice);
  if (!grammar) return Fail(std::move(grammar));
  auto table = model.token_table();
  if (!table) return Fail(std::move(table));
  auto constraint = generate::constrain::Constraint::Create(*std::move(grammar), *std::move(table));
  if (!constraint) return Fail(std::move(constraint));
  options->constraint = *std::move(constraint);
  return {};
}

}  // namespace ergo::cli
