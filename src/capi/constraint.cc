// Constraints: languages compiled for a model's vocabulary.
#include "capi/model_state.h"
#include "generate/constrain/compile.h"

namespace ergo::capi {
namespace {

using generate::constrain::Constraint;
using generate::constrain::Grammar;
using Compiled = Result<std::shared_ptr<const Grammar>>;

/// More choices than anyone meant.
constexpr std::size_t kMostChoices = std::size_t{1} << 20;

Outcome<ergo_constraint*> Bind(const ergo_model* model, Compiled grammar) {
  if (!grammar) return tl::unexpected(Failure(ERGO_INVALID, std::move(grammar).error()));
  auto table = model->state->model().token_table();
  if (!table) return Fail(std::move(table));
  auto made = Constraint::Create(std::move(*grammar), std::move(*table));
  if (!made) return Fail(std::move(made));
  return new ergo_constraint{model->state, std::move(*made)};
}

/// A constraint from one text.
template <typename Compile>
ergo_constraint* FromText(const ergo_model* model, const char* text, const char* argument,
                          ergo_error** error, Compile&& compile) {
  return GuardedPointer<ergo_constraint>(error, [&]() -> Outcome<ergo_constraint*> {
    if (auto given = NotNull(model, "model"); !given) return Refused(given);
    auto given = TextOf(text, ERGO_TO_NUL, argument);
    if (!given) return Refused(given);
    return Bind(model, compile(*given));
  });
}

Outcome<std::vector<std::string>> ChoicesOf(const char* const* choices, std::size_t count) {
  auto given = ArrayOf(choices, count, kMostChoices, "choices");
  if (!given) return Refused(given);
  std::vector<std::string> texts;
  texts.reserve(count);
  for (const char* choice : *given) {
    auto text = TextOf(choice, ERGO_TO_NUL, "choices");
    if (!text) return Refused(text);
    texts.emplace_back(*text);
  }
  return texts;
}

}  // namespace
}  // namespace ergo::capi

namespace constrain = ergo::generate::constrain;
using ergo::capi::Outcome;
using ergo::capi::Refused;

extern "C" {

ergo_constraint* ergo_constraint_json_schema(const ergo_model* model, const char* schema,
                                             ergo_error** error) {
  return ergo::capi::FromText(model, schema, "schema", error, [](std::string_view text) {
    return constrain::CompileJsonSchema(text);
  });
}

ergo_constraint* ergo_constraint_regex(const ergo_model* model, const char* pattern,
                                       ergo_error** error) {
  return ergo::capi::FromText(model, pattern, "pattern", error, [](std::string_view text) {
    return constrain::CompileRegex(text, "pattern");
  });
}

ergo_constraint* ergo_constraint_grammar(const ergo_model* model, const char* grammar,
                                         ergo_error** error) {
  return ergo::capi::FromText(model, grammar, "grammar", error,
                              [](std::string_view text) { return constrain::CompileGbnf(text); });
}

ergo_constraint* ergo_constraint_choices(const ergo_model* model, const char* const* choices,
                                         size_t count, ergo_error** error) {
  return ergo::capi::GuardedPointer<ergo_constraint>(error, [&]() -> Outcome<ergo_constraint*> {
    if (auto given = ergo::capi::NotNull(model, "model"); !given) return Refused(given);
    auto texts = ergo::capi::ChoicesOf(choices, count);
    if (!texts) return Refused(texts);
    return ergo::capi::Bind(model, constrain::CompileChoices(*texts));
  });
}

void ergo_constraint_free(ergo_constraint* constraint) { delete constraint; }

}  // extern "C"
