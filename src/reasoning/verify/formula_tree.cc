#include <set>
#include <utility>

#include "reasoning/verify/formula.h"

namespace ergo::reasoning {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr std::pair<std::string_view, std::string_view> kCommands[] = {
    {"left", ""},      {"right", ""},       {"displaystyle", ""}, {"big", ""},
    {"Big", ""},       {"bigl", ""},        {"bigr", ""},         {"quad", " "},
    {"qquad", " "},    {"dfrac", "\\frac"}, {"tfrac", "\\frac"},  {"cfrac", "\\frac"},
    {"times", "*"},    {"cdot", "*"},       {"div", "/"},         {"leq", "<="},
    {"le", "<="},      {"geq", ">="},       {"ge", ">="},         {"lt", "<"},
    {"gt", ">"},       {"neq", "!="},       {"ne", "!="},         {"approx", "≈"},
    {"pm", "±"},       {"cup", "∪"},        {"cap", "∩"},         {"infty", "∞"},
    {"in", "∈"},       {"circ", "°"},       {"degree", "°"},      {"lbrace", "\\{"},
    {"rbrace", "\\}"}, {"limits", ""},      {"colon", ":"},       {"vert", "|"},
    {"mid", "|"},      {"land", ","},       {"lor", ","},         {"sim", "≈"}};

constexpr std::pair<std::string_view, std::string_view> kSigns[] = {
    {"×", "*"},  {"·", "*"},  {"⋅", "*"},  {"÷", "/"},     {"−", "-"},       {"–", "-"},
    {"≤", "<="}, {"≥", ">="}, {"≠", "!="}, {"π", "\\pi "}, {"√", "\\sqrt "}, {"²", "^2"},
    {"³", "^3"}, {"，", ","}, {"；", ";"}, {"（", "("},    {"）", ")"},      {"～", "≈"},
    {"€", ""},   {"£", ""},   {"¥", ""}};

std::string FromSigns(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    bool found = false;
    for (const auto& [sign, plain] : kSigns) {
      if (!text.starts_with(sign)) continue;
      out += plain;
      text.remove_prefix(sign.size());
      found = true;
      break;
    }
    if (found) continue;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (std::size_t at = text->find(from); at != text->npos; at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

// A backslash that was escaped once too often, outside of matrices.
std::string Unescaped(std::string text) {
  if (text.find("begin{") != text.npos) return text;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool twice = text[i] == '\\' && i + 2 < text.size() && text[i + 1] == '\\' &&
                       (IsLetter(text[i + 2]) || text[i + 2] == '{' || text[i + 2] == '}');
    if (!twice) out += text[i];
  }
  return out;
}

void Collect(const Formula& formula, std::set<std::string>* names) {
  if (formula.kind == FormulaKind::kSymbol) names->insert(formula.name);
  for (const FormulaPtr& part : formula.parts) Collect(*part, names);
}

}  // namespace

FormulaPtr MakeNumber(Rational value) {
  auto number = std::make_shared<Formula>();
  number->value = std::move(value);
  return number;
}

FormulaPtr MakeFormula(FormulaKind kind, std::vector<FormulaPtr> parts, std::string name) {
  auto formula = std::make_shared<Formula>();
  formula->kind = kind;
  formula->parts = std::move(parts);
  formula->name = std::move(name);
  return formula;
}

std::vector<std::string> Symbols(const Formula& formula) {
  std::set<std::string> names;
  Collect(formula, &names);
  return {names.begin(), names.end()};
}

FormulaPtr Substitute(const FormulaPtr& formula, const std::string& symbol, const FormulaPtr& by) {
  if (formula->kind == FormulaKind::kSymbol && formula->name == symbol) return by;
  if (formula->parts.empty()) return formula;
  auto copy = std::make_shared<Formula>(*formula);
  for (FormulaPtr& part : copy->parts) part = Substitute(part, symbol, by);
  return copy;
}

std::string NormalizeLatex(std::string_view text) {
  const std::string source = Unescaped(FromSigns(text.substr(0, 8000)));
  std::string out;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    if (c == '$' || c == '~' || c == '\n' || c == '\t') {
      out += ' ';
      continue;
    }
    if (c != '\\' || i + 1 >= source.size()) {
      out += c;
      continue;
    }
    const char next = source[i + 1];
    if (!IsLetter(next)) {
      ++i;
      if (next == '{' || next == '}')
        out += std::string("\\") + next;
      else if (next == '%')
        out += '%';
      else if (next == '\\')
        out += "\\\\";
      else if (next == '|')
        out += '|';
      else if (next != '!' && next != '$')
        out += ' ';
      continue;
    }
    std::size_t end = i + 1;
    while (end < source.size() && IsLetter(source[end])) ++end;
    const std::string_view name = std::string_view(source).substr(i + 1, end - i - 1);
    std::string put = "\\" + std::string(name) + " ";
    for (const auto& [command, plain] : kCommands) {
      if (command == name) put = plain == "\\frac" ? "\\frac " : std::string(plain);
    }
    // "\\quadx" lacks a space.
    if (name.starts_with("quad") && name.size() <= 6 && name != "quad" && name != "qquad") {
      put = " " + std::string(name.substr(4));
    }
    out += put;
    i = end - 1;
  }
  ReplaceAll(&out, " {, }", ",");
  ReplaceAll(&out, "{, }", ",");
  ReplaceAll(&out, "{,}", ",");
  ReplaceAll(&out, ",  ", ", ");
  ReplaceAll(&out, "^{°}", "°");
  ReplaceAll(&out, "^ °", "°");
  ReplaceAll(&out, "^°", "°");
  const std::size_t begin = out.find_first_not_of(" ");
  if (begin == out.npos) return "";
  out = out.substr(begin, out.find_last_not_of(" .") - begin + 1);
  return out;
}

}  // namespace ergo::reasoning
