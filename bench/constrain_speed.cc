// Prints how fast constraints are with a model's vocabulary:
//   constrain_speed -m MODEL               compile time, and µs per token of a few typical cases
//   constrain_speed -m MODEL --vocabulary  the bytes of each token in hexadecimal, one a line;
//                                          "special" for those without, "end" for ends of answers
//   constrain_speed -m MODEL --requests    for each line of standard input, a JSON object with
//                                          "schema", "regex" or "gbnf", a line of JSON:
//                                          "error"; for "texts" whether each is accepted whole; for
//                                          "tokens" the allowed ids before each of them and at the
//                                          end, as ranges ("spacing": "compact" or "one-line")
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "formats/model_files.h"
#include "generate/constrain/compile.h"
#include "generate/constrain/constraint.h"
#include "tokenizer/tokenizer.h"

namespace {

namespace constrain = ergo::generate::constrain;
using constrain::TokenId;
using ergo::OrderedJson;
using GrammarPtr = std::shared_ptr<const constrain::Grammar>;

/// Processor time of this thread in µs: what others do on the machine does not count.
double Now() {
  timespec time{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double MicrosSince(double start) { return Now() - start; }

int Complain(const ergo::Error& error) {
  fmt::print(stderr, "{}\n", error.Message());
  return 1;
}

/// A language and answers that a model might give under it.
struct Case {
  const char* name;
  const char* kind;
  const char* text;
  std::vector<std::string> answers;
};

std::vector<Case> Cases() {
  const char* person = R"({"type": "object", "properties": {"name": {"type": "string"},
    "age": {"type": "integer", "minimum": 0, "maximum": 150}, "email": {"type": "string",
    "format": "email"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["name", "age", "email", "tags"], "additionalProperties": false})";
  const char* calls = R"({"type": "object", "properties": {"reasoning": {"type": "string"},
    "calls": {"type": "array", "minItems": 1, "maxItems": 8, "items": {"anyOf": [
    {"type": "object", "properties": {"tool": {"const": "search"}, "query": {"type": "string",
    "maxLength": 200}, "limit": {"type": "integer"}}, "required": ["tool", "query"],
    "additionalProperties": false}, {"type": "object", "properties": {"tool": {"const": "calculate"},
    "expression": {"type": "string"}, "unit": {"enum": ["meter", "second", "kilogram", "none"]}},
    "required": ["tool", "expression", "unit"], "additionalProperties": false}]}},
    "confidence": {"type": "number"}}, "required": ["reasoning", "calls", "confidence"],
    "additionalProperties": false})";
  const char* tree = R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties":
    {"label": {"type": "string", "maxLength": 60}, "done": {"type": "boolean"}, "children":
    {"type": "array", "items": {"$ref": "#/$defs/node"}}}, "required": ["label", "done",
    "children"], "additionalProperties": false}}})";
  const char* arithmetic =
      "root ::= term ([-+] term)*\nterm ::= factor ([*/] factor)*\n"
      "factor ::= [0-9]+ | \"(\" ws root ws \")\"\nws ::= [ \\n]*\n";
  return {
      {"person",
       "schema",
       person,
       {R"({"name": "Ada Lovelace", "age": 36, "email": "ada@example.com", "tags": ["mathematics", "poetry"]})",
        "{\n  \"name\": \"Søren Kierkegaard\",\n  \"age\": 42,\n  \"email\": \"sk@kbh.dk\",\n  "
        "\"tags\": []\n}",
        R"({"name": "李小龙 \"Bruce\" Lee", "age": 32, "email": "bruce.lee@hk.film.org", "tags": ["martial arts", "film", "philosophy of water"]})"}},
      {"tool calls",
       "schema",
       calls,
       {R"({"reasoning": "The user asks for the height of the tower; I look it up first and convert it afterwards.", "calls": [{"tool": "search", "query": "height of the Eiffel Tower in feet", "limit": 3}, {"tool": "calculate", "expression": "1083 * 0.3048", "unit": "meter"}], "confidence": 0.92})",
        R"({"reasoning": "Only arithmetic is needed.", "calls": [{"tool": "calculate", "expression": "(17 + 4) * 3^2", "unit": "none"}], "confidence": 1})"}},
      {"recursive tree",
       "schema",
       tree,
       {R"({"label": "write the report", "done": false, "children": [{"label": "collect the figures", "done": true, "children": []}, {"label": "draft", "done": false, "children": [{"label": "introduction", "done": true, "children": []}, {"label": "methods and limits", "done": false, "children": []}]}]})"}},
      {"any object",
       "schema",
       R"({"type": "object"})",
       {R"({"id": 17, "values": [1.5, -2e10, null, true, {"nested": [[], {}]}], "text": "a line\nand another", "last": false})"}},
      {"date and time",
       "regex",
       "\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2})?(Z|[+-]\\d{2}:\\d{2})",
       {"2024-02-29T23:59:30+01:00", "1999-12-31T00:00Z"}},
      {"words",
       "regex",
       "([A-Z][a-z]{1,20}( [a-z]{1,20}){2,30}\\. ?){1,5}",
       {"The quick brown fox jumps over the lazy dog. Nobody knows why it does so."}},
      {"arithmetic", "gbnf", arithmetic, {"12*(3+4)-56/(7*( 8-9 ))", "1+2+3+4+5"}},
  };
}

ergo::Result<GrammarPtr> Compile(const std::string& kind, const std::string& text,
                                 const constrain::JsonSchemaOptions& options) {
  if (kind == "regex") return constrain::CompileRegex(text);
  if (kind == "gbnf") return constrain::CompileGbnf(text);
  return constrain::CompileJsonSchema(text, options);
}

struct Timing {
  double total = 0.0;
  std::vector<double> each = {};

  void Add(double micros) {
    total += micros;
    each.push_back(micros);
  }
  double mean() const { return each.empty() ? 0.0 : total / static_cast<double>(each.size()); }
  double Quantile(double q) {
    std::sort(each.begin(), each.end());
    return each[static_cast<std::size_t>(q * static_cast<double>(each.size() - 1))];
  }
};

/// One answer token by token, as a scheduler would do it. False if a token is not allowed.
bool Walk(const constrain::Constraint& constraint, const std::vector<TokenId>& tokens,
          std::vector<float>* logits, Timing* timing) {
  const auto hook = constraint.Start();
  for (const TokenId token : tokens) {
    std::fill(logits->begin(), logits->end(), 0.0F);
    const auto start = Now();
    (void)hook->Forced();
    hook->Mask(*logits);
    (void)hook->Accept(token);
    timing->Add(MicrosSince(start));
    if ((*logits)[static_cast<std::size_t>(token)] != 0.0F) return false;
  }
  return true;
}

int PrintSpeed(const ergo::tokenizer::Tokenizer& tokenizer, int repeats) {
  const auto start = Now();
  const auto table = constrain::TokenTable::Create(tokenizer, tokenizer.end_of_generation());
  if (!table) return Complain(table.error());
  fmt::print("vocabulary of {} tokens, table made in {:.1f} ms\n", tokenizer.size(),
             MicrosSince(start) / 1e3);
  fmt::print("{:<16}{:>11}{:>8}{:>12}{:>12}{:>10}{:>10}{:>10}\n", "", "compile ms", "tokens",
             "first mean", "first p99", "mean", "p99", "max");
  std::vector<float> logits(tokenizer.size());
  for (const Case& one : Cases()) {
    const auto compiling = Now();
    const auto grammar = Compile(one.kind, one.text, {});
    if (!grammar) return Complain(grammar.error());
    const auto constraint = constrain::Constraint::Create(*grammar, *table);
    if (!constraint) return Complain(constraint.error());
    const double compile = MicrosSince(compiling) / 1e3;
    Timing first;
    Timing all;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      for (const std::string& answer : one.answers) {
        const auto tokens =
            tokenizer.Encode(answer, {.add_special = false, .parse_special = false});
        Timing& timing = repeat == 0 ? first : all;
        if (!Walk(**constraint, tokens, &logits, &timing)) {
          fmt::print(stderr, "{}: the answer {} is not allowed\n", one.name, answer);
          return 1;
        }
      }
    }
    for (const double micros : first.each) all.Add(micros);
    fmt::print("{:<16}{:>11.2f}{:>8}{:>12.1f}{:>12.1f}{:>10.1f}{:>10.1f}{:>10.1f}\n", one.name,
               compile, all.each.size(), first.mean(), first.Quantile(0.99), all.mean(),
               all.Quantile(0.99), all.Quantile(1.0));
  }
  fmt::print(
      "µs of processor time per token for Forced, Mask and Accept together; first: of the first "
      "walk alone\n");
  return 0;
}

void PrintVocabulary(const constrain::TokenTable& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    std::string line;
    for (const char c : table.bytes(id))
      line += fmt::format("{:02x}", static_cast<unsigned char>(c));
    if (line.empty()) line = table.IsEnd(id) ? "end" : "special";
    fmt::print("{}\n", line);
  }
}

std::string AllowedRanges(ergo::runtime::LogitHook* hook, std::size_t size) {
  std::vector<float> logits(size, 0.0F);
  hook->Mask(logits);
  std::string ranges;
  for (std::size_t i = 0; i < size; ++i) {
    if (logits[i] != 0.0F) continue;
    const std::size_t first = i;
    while (i + 1 < size && logits[i + 1] == 0.0F) ++i;
    ranges += fmt::format("{}{}-{}", ranges.empty() ? "" : ",", first, i);
  }
  return ranges;
}

OrderedJson Answer(const OrderedJson& request,
                   const std::shared_ptr<const constrain::TokenTable>& table) {
  constrain::JsonSchemaOptions options;
  const std::string spacing = request.value("spacing", "flexible");
  if (spacing == "compact") options.spacing = constrain::JsonSpacing::kCompact;
  if (spacing == "one-line") options.spacing = constrain::JsonSpacing::kOneLine;
  OrderedJson answer = OrderedJson::object();
  ergo::Result<GrammarPtr> grammar = ergo::Fail("neither schema, regex nor gbnf", "request");
  const auto start = Now();
  if (request.contains("schema")) {
    grammar = constrain::CompileParsedJsonSchema(request["schema"], options);
  } else if (request.contains("regex")) {
    grammar = constrain::CompileRegex(request["regex"].get<std::string>());
  } else if (request.contains("gbnf")) {
    grammar = constrain::CompileGbnf(request["gbnf"].get<std::string>());
  }
  answer["compile_ms"] = MicrosSince(start) / 1e3;
  if (!grammar) {
    answer["error"] = grammar.error().Message();
    return answer;
  }
  if (request.contains("texts")) {
    answer["accepted"] = OrderedJson::array();
    for (const auto& text : request["texts"]) {
      constrain::Machine machine(*grammar);
      auto set = machine.start();
      for (const char c : text.get<std::string>()) {
        set = machine.Step(set, static_cast<std::uint8_t>(c));
      }
      answer["accepted"].push_back(machine.CanEnd(set));
    }
  }
  if (request.contains("tokens")) {
    const auto constraint = constrain::Constraint::Create(*grammar, table);
    if (!constraint) {
      answer["error"] = constraint.error().Message();
      return answer;
    }
    const auto hook = (*constraint)->Start();
    answer["allowed"] = {AllowedRanges(hook.get(), table->size())};
    for (const auto& token : request["tokens"]) {
      (void)hook->Accept(token.get<TokenId>());
      answer["allowed"].push_back(AllowedRanges(hook.get(), table->size()));
    }
  }
  return answer;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Speed of constraints");
  std::string model;
  bool vocabulary = false;
  bool requests = false;
  int repeats = 10;
  app.add_option("-m,--model", model, "model file or folder")->required();
  app.add_option("-r,--repeats", repeats, "walks over each answer")->check(CLI::PositiveNumber);
  app.add_flag("--vocabulary", vocabulary, "print the bytes of the tokens");
  app.add_flag("--requests", requests, "answer requests from standard input");
  CLI11_PARSE(app, argc, argv);
  const auto files = ergo::formats::Open(model);
  if (!files) return Complain(files.error());
  const auto tokenizer = ergo::tokenizer::Tokenizer::Load(*files);
  if (!tokenizer) return Complain(tokenizer.error());
  if (!vocabulary && !requests) return PrintSpeed(*tokenizer, repeats);
  const auto table = constrain::TokenTable::Create(*tokenizer, tokenizer->end_of_generation());
  if (!table) return Complain(table.error());
  if (vocabulary) PrintVocabulary(**table);
  std::string line;
  while (requests && std::getline(std::cin, line)) {
    const auto request = ergo::ParseOrderedJson(line, "request");
    if (!request) return Complain(request.error());
    fmt::print("{}\n", Answer(*request, *table).dump());
    std::fflush(stdout);
  }
  return 0;
}
