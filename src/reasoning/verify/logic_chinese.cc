#include "reasoning/verify/logic_chinese.h"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace ergo::reasoning {
namespace {

using Literals = std::vector<LogicLiteral>;
using Marks = std::initializer_list<std::string_view>;

constexpr int kVariable = LogicLiteral::kFirstVariable;
constexpr std::size_t kMaxBytes = 600;
constexpr std::size_t kMaxName = 30;

const Marks kAnd = {"并且", "而且", "同时", "，", ",", "、", "且", "和", "又", "而"};
const Marks kOr = {"或者", "或"};
const Marks kSomeone = {"某个人", "某个东西", "一个东西", "一个人", "任何人",
                        "某人",   "有人",     "某物",     "谁"};
const Marks kPronouns = {"这个东西", "这个人", "那个人", "该人", "他们", "它们", "他", "它", "她"};
const Marks kVerbs = {"喜欢", "讨厌", "看见", "看到", "认识", "需要", "拜访", "帮助",
                      "追赶", "信任", "害怕", "尊敬", "追",   "吃",   "爱",   "恨"};
/// Parts of a sentence's form: never in a name.
const Marks kForm = {"是",   "不", "都", "如果", "那么", "所有", "没有", "每", "任何",
                     "一切", "凡", "的", "或",   "且",   "，",   ",",    "、", "“",
                     "”",    "：", "？", "有的", "有些", "某",   "只"};

bool TakePrefix(std::string_view& text, Marks marks) {
  for (const std::string_view mark : marks) {
    if (!text.starts_with(mark)) continue;
    text.remove_prefix(mark.size());
    return true;
  }
  return false;
}

bool TakeSuffix(std::string_view& text, Marks marks) {
  for (const std::string_view mark : marks) {
    if (!text.ends_with(mark)) continue;
    text.remove_suffix(mark.size());
    return true;
  }
  return false;
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::none_of(kForm.begin(), kForm.end(), [&](std::string_view mark) {
           return text.find(mark) != std::string_view::npos;
         });
}

/// Parts between marks; longer marks stand first in their list. Empty parts are dropped.
std::vector<std::string_view> Split(std::string_view text, Marks marks) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t cut = at == text.size() ? 1 : 0;
    for (const std::string_view mark : marks) {
      if (cut == 0 && text.substr(at).starts_with(mark)) cut = mark.size();
    }
    if (cut > 0) {
      if (at > begin) parts.push_back(text.substr(begin, at - begin));
      begin = at + cut;
    }
    at += std::max<std::size_t>(cut, 1);
  }
  return parts;
}

class ChineseSentence {
 public:
  explicit ChineseSentence(LogicTheory& theory) : theory_(theory) {}

  std::optional<std::vector<LogicRule>> Read(std::string_view text) {
    TakePrefix(text, {"因此，", "所以，", "因此", "所以", "于是", "我们知道", "已知"});
    if (TakePrefix(text, {"如果", "假如", "只要", "若"})) return Conditional(text);
    if (TakePrefix(text, {"没有任何", "没有一个", "没有"})) {
      const auto at = text.find("是");
      if (at == std::string_view::npos) return std::nullopt;
      return Universal(text.substr(0, at), text.substr(at), true);
    }
    const bool marked = TakePrefix(
        text, {"所有的", "所有", "每一个", "每个", "每只", "一切", "任何", "凡是", "凡"});
    const auto all = text.find("都");
    if (all != std::string_view::npos) {
      return Universal(text.substr(0, all), text.substr(all + std::string_view("都").size()),
                       false);
    }
    if (marked) {
      const auto at = std::min(text.find("不是"), text.find("是"));
      if (at == std::string_view::npos) return std::nullopt;
      return Universal(text.substr(0, at), text.substr(at), false);
    }
    Literals facts;
    if (!Conjunction(text, facts)) return std::nullopt;
    return RulesOf({Literals{}}, facts);
  }

 private:
  static std::optional<std::vector<LogicRule>> RulesOf(const std::vector<Literals>& bodies,
                                                       const Literals& heads) {
    std::vector<LogicRule> rules;
    for (const Literals& body : bodies) {
      for (const LogicLiteral& head : heads) rules.push_back({body, head, 0});
    }
    if (rules.empty()) return std::nullopt;
    return rules;
  }

  std::optional<std::vector<LogicRule>> Conditional(std::string_view text) {
    std::size_t cut = std::string_view::npos;
    std::size_t skip = 0;
    for (const std::string_view mark : {"那么", "则", "，", ","}) {
      cut = mark == "，" || mark == "," ? text.rfind(mark) : text.find(mark);
      skip = mark.size();
      if (cut != std::string_view::npos) break;
    }
    if (cut == std::string_view::npos) return std::nullopt;
    std::string_view condition = text.substr(0, cut);
    std::string_view conclusion = text.substr(cut + skip);
    TakeSuffix(condition, {"，", ","});
    TakeSuffix(condition, {"的话"});
    TakePrefix(conclusion, {"，", ","});
    conditional_ = true;
    std::vector<Literals> bodies;
    for (const std::string_view part : Split(condition, kOr)) {
      if (!Conjunction(part, bodies.emplace_back())) return std::nullopt;
    }
    in_head_ = true;
    Literals heads;
    if (!Conjunction(conclusion, heads)) return std::nullopt;
    return RulesOf(bodies, heads);
  }

  /// "红色的猫" + "是动物": what is one is the other.
  std::optional<std::vector<LogicRule>> Universal(std::string_view subject,
                                                  std::string_view predicate, bool none) {
    Literals body;
    subject_ = kVariable;
    if (!Restriction(subject, body)) return std::nullopt;
    Literals heads;
    for (const std::string_view part : Split(predicate, kAnd)) {
      if (!Predicate(part, heads, true)) return std::nullopt;
    }
    if (none && heads.size() != 1) return std::nullopt;
    if (none) heads[0].negated = !heads[0].negated;
    return RulesOf({body}, heads);
  }

  bool Restriction(std::string_view text, Literals& body) {
    TakeSuffix(text, {"们"});
    auto parts = Split(text, {"的", "、", "和", "而"});
    if (parts.empty()) return false;
    static const Marks kGeneric = {"人", "东西", "事物", "物体", "生物"};
    const bool generic =
        std::find(kGeneric.begin(), kGeneric.end(), parts.back()) != kGeneric.end();
    const std::string_view head = parts.back();
    parts.pop_back();
    for (const std::string_view part : parts) {
      if (!IsName(part)) return false;
      Add(part, PredicateForm::kChineseQuality, false, body);
    }
    if (generic) return true;
    if (!IsName(head)) return false;
    Add(head, PredicateForm::kChineseIs, false, body);
    return true;
  }

  bool Conjunction(std::string_view text, Literals& out) {
    const auto parts = Split(text, kAnd);
    for (const std::string_view part : parts) {
      if (!Clause(part, out)) return false;
    }
    return !parts.empty();
  }

  bool Clause(std::string_view text, Literals& out) {
    // A subject that is known by itself may be followed by a bare quality; a new name may not.
    if (TakePrefix(text, kSomeone)) {
      if (!conditional_ || in_head_) return false;
      subject_ = kVariable;
      variable_ = true;
      return Predicate(text, out, true);
    }
    if (TakePrefix(text, kPronouns)) {
      if (variable_) subject_ = kVariable;
      return subject_ && Predicate(text, out, true);
    }
    const std::size_t verb = FindVerb(text);
    if (verb == std::string_view::npos) {
      // A known name, or none: "聪明" behind "某人善良且".
      for (std::size_t i = 0; i < theory_.constants.size(); ++i) {
        std::string_view rest = text;
        if (!TakePrefix(rest, {theory_.constants[i]}) || rest.empty()) continue;
        subject_ = static_cast<int>(i);
        return Predicate(rest, out, true);
      }
      return subject_ && !out.empty() && Predicate(text, out, true);
    }
    if (verb > 0) {
      const std::string_view name = text.substr(0, verb);
      if (!IsName(name)) return false;
      subject_ = theory_.ConstantOf(name);
    }
    return subject_ && Predicate(text.substr(verb), out, false);
  }

  static std::size_t FindVerb(std::string_view text) {
    std::size_t first = std::string_view::npos;
    for (const std::string_view mark : {"并不", "不", "是", "很", "非常"})
      first = std::min(first, text.find(mark));
    for (const std::string_view verb : kVerbs) first = std::min(first, text.find(verb));
    return first;
  }

  bool Predicate(std::string_view text, Literals& out, bool bare) {
    TakePrefix(text, {"一定", "就", "也", "便", "必然", "都"});
    const bool negated = TakePrefix(text, {"并不", "不"});
    if (TakePrefix(text, {"是"})) {
      TakePrefix(text, {"一个", "一只", "一位", "一种", "一名", "一条", "一头"});
      const bool quality = TakeSuffix(text, {"的人", "的东西", "的"});
      if (!IsName(text)) return false;
      return Add(text, quality ? PredicateForm::kChineseQuality : PredicateForm::kChineseIs,
                 negated, out);
    }
    for (const std::string_view verb : kVerbs) {
      if (!TakePrefix(text, {verb})) continue;
      int object = kVariable;
      if (!TakePrefix(text, kPronouns) || !text.empty()) {
        if (!IsName(text)) return false;
        object = theory_.ConstantOf(text);
      } else if (!variable_) {
        return false;
      }
      out.push_back(
          {theory_.PredicateOf(verb, PredicateForm::kChineseVerb), {*subject_, object}, negated});
      return true;
    }
    const bool degree = TakePrefix(text, {"很", "非常"});
    if (!IsName(text) || !(degree || negated || bare)) return false;
    return Add(text, PredicateForm::kChineseQuality, negated, out);
  }

  bool Add(std::string_view name, PredicateForm form, bool negated, Literals& out) {
    out.push_back({theory_.PredicateOf(name, form), {*subject_, LogicLiteral::kNone}, negated});
    return true;
  }

  LogicTheory& theory_;
  bool conditional_ = false;
  bool in_head_ = false;
  bool variable_ = false;
  std::optional<int> subject_;
};

}  // namespace

std::optional<std::vector<LogicRule>> ReadChinese(std::string_view sentence, LogicTheory& theory) {
  std::string text;
  for (const char c : sentence) {
    if (c != ' ' && c != '\t' && c != '\r') text += c;
  }
  if (text.empty() || text.size() > kMaxBytes) return std::nullopt;
  return ChineseSentence(theory).Read(text);
}

}  // namespace ergo::reasoning
