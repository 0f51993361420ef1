// The grammar of formulas; only formula.cc needs it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reasoning/verify/formula.h"

namespace ergo::reasoning {

inline bool IsFormulaDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsFormulaLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Recursive descent over normalized text; one use. Nothing is kept after a failure.
class FormulaParser {
 public:
  explicit FormulaParser(std::string text) : text_(std::move(text)) {}

  FormulaPtr Whole() {
    FormulaPtr formula = List();
    Space();
    if (failed_ || at_ < text_.size()) return nullptr;
    return formula;
  }

 private:
  static constexpr int kMaxNodes = 2000;
  using Parts = std::vector<FormulaPtr>;

  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void Space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool At(std::string_view what) {
    Space();
    return std::string_view(text_).substr(at_).starts_with(what);
  }
  bool Take(std::string_view what) {
    if (!At(what)) return false;
    at_ += what.size();
    return true;
  }
  FormulaPtr Bad() {
    failed_ = true;
    return nullptr;
  }
  FormulaPtr Make(FormulaKind kind, Parts parts, std::string name = {}) {
    if (failed_ || ++nodes_ > kMaxNodes) return Bad();
    for (const FormulaPtr& part : parts) {
      if (!part) return Bad();
    }
    return MakeFormula(kind, std::move(parts), std::move(name));
  }
  std::string_view CommandName() {
    Space();
    if (Peek() != '\\' || !IsFormulaLetter(Peek(1))) return {};
    std::size_t end = at_ + 1;
    while (end < text_.size() && IsFormulaLetter(text_[end])) ++end;
    return std::string_view(text_).substr(at_ + 1, end - at_ - 1);
  }
  std::string_view PlainWord() {
    Space();
    std::size_t end = at_;
    while (end < text_.size() && IsFormulaLetter(text_[end])) ++end;
    return std::string_view(text_).substr(at_, end - at_);
  }
  bool TakeSeparator();
  bool TextCommand(std::string* inside);
  std::string BraceText();

  FormulaPtr List();
  FormulaPtr Relation();
  FormulaPtr Union();
  FormulaPtr Sum();
  FormulaPtr Product();
  FormulaPtr Signed();
  FormulaPtr Power();
  FormulaPtr Postfix(FormulaPtr base);
  FormulaPtr Primary();
  FormulaPtr Number();
  FormulaPtr Symbol(std::string name);
  FormulaPtr Bracket(char open);
  FormulaPtr Braced();
  FormulaPtr SetBraces();
  FormulaPtr Command();
  FormulaPtr Function(std::string name);
  FormulaPtr Matrix();
  FormulaPtr Argument();
  FormulaPtr Absolute();
  bool StartsFactor();
  void SkipUnits();

  std::string text_;
  std::size_t at_ = 0;
  int nodes_ = 0;
  int depth_ = 0;
  int bars_ = 0;
  int brackets_ = 0;  ///< in which a comma separates coordinates
  bool failed_ = false;
};

}  // namespace ergo::reasoning
