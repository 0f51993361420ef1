#include <algorithm>
#include <string>

#include "reasoning/eval/families/all.h"
#include "reasoning/eval/family.h"

namespace ergo::reasoning::eval {

std::string_view Name(Judgement judgement) {
  switch (judgement) {
    case Judgement::kRight:
      return "right";
    case Judgement::kWrong:
      return "wrong";
    case Judgement::kNone:
      break;
  }
  return "none";
}

std::span<const Family> Families() {
  static const Family kFamilies[] = {
      kChains,     //
      kCountdown,  //
      kDeduction,  //
      kGsm8k,      //
      kHumanEval,  //
      kKnights,    //
      kLinear,     //
      kMath,       //
      kProntoQa,   //
      kProofWriter,
  };
  return kFamilies;
}

namespace {

/// At least this much of a name must be written, so that "m" does not stay right by accident.
constexpr std::size_t kShortestName = 4;

std::string AllNames() {
  std::string names;
  for (const Family& family : Families()) {
    names += (names.empty() ? "" : ", ") + std::string(family.name);
  }
  return names;
}

const Family* FindFamily(std::string_view name) {
  const Family* found = nullptr;
  for (const Family& family : Families()) {
    if (family.name == name) return &family;
    if (name.size() < kShortestName || !family.name.starts_with(name)) continue;
    if (found) return nullptr;
    found = &family;
  }
  return found;
}

}  // namespace

Result<FamilyChoice> ParseFamily(std::string_view written) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= written.size();) {
    const std::size_t end = std::min(written.find(':', begin), written.size());
    parts.emplace_back(written.substr(begin, end - begin));
    begin = end + 1;
  }
  FamilyChoice choice;
  choice.family = FindFamily(parts.front());
  if (!choice.family) {
    return Fail("no such family of questions", std::string(written), "there are " + AllNames());
  }
  choice.options.assign(parts.begin() + 1, parts.end());
  choice.name = choice.family->name;
  for (const std::string& option : choice.options) choice.name += ":" + option;
  return choice;
}

}  // namespace ergo::reasoning::eval
