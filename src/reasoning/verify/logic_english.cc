#include "reasoning/verify/logic_english.h"

#include <algorithm>
#include <span>
#include <utility>

#include "reasoning/verify/logic_paraphrase.h"
#include "reasoning/verify/logic_words.h"

namespace ergo::reasoning {
namespace {

using Words = std::span<const LogicWord>;
using Literals = std::vector<LogicLiteral>;

constexpr std::size_t kMaxWords = 120;
constexpr int kMaxRephrasings = 8;
constexpr int kVariable = LogicLiteral::kFirstVariable;

bool Is(const LogicWord& word, std::initializer_list<std::string_view> words) {
  return IsOneOf(word.lower, words);
}
bool IsBe(const LogicWord& word) { return Is(word, {"is", "are", "was", "were"}); }
bool IsAuxiliary(const LogicWord& word) {
  return IsBe(word) || Is(word, {"does", "do", "did", "can"});
}
/// Nouns that restrict nothing: whatever has a name is one.
bool IsGeneric(const LogicWord& word) {
  return Is(word, {"people",   "things",     "person",    "thing",      "ones",        "one",
                   "someone",  "something",  "somebody",  "anyone",     "anything",    "anybody",
                   "everyone", "everything", "everybody", "individual", "individuals", "those",
                   "entity",   "entities",   "objects",   "object"});
}
bool IsIndefinite(const LogicWord& word) {
  return Is(word, {"someone", "something", "somebody", "anyone", "anything", "anybody"});
}
bool IsSomeone(const LogicWord& word) { return Is(word, {"someone", "something", "somebody"}); }
bool IsPronoun(const LogicWord& word) {
  return Is(word, {"they", "it", "he", "she", "them", "him", "her"});
}
/// Words that carry the form of a sentence and are never a predicate or a name.
bool IsFunction(const LogicWord& word) {
  return Is(
      word,
      {",",        "and",        "or",        "not",       "if",      "then",      "the",
       "a",        "an",         "is",        "are",       "was",     "were",      "does",
       "do",       "did",        "can",       "all",       "every",   "each",      "any",
       "no",       "some",       "that",      "who",       "which",   "than",      "of",
       "to",       "in",         "with",      "by",        "but",     "nor",       "neither",
       "either",   "both",       "only",      "unless",    "because", "since",     "so",
       "when",     "while",      "most",      "many",      "few",     "at",        "least",
       "exactly",  "there",      "have",      "has",       "be",      "been",      "must",
       "may",      "might",      "should",    "will",      "would",   "could",     "very",
       "too",      "for",        "from",      "on",        "as",      ":",         "seldom",
       "rarely",   "often",      "usually",   "sometimes", "hardly",  "never",     "always",
       "probably", "perhaps",    "almost",    "nearly",    "mostly",  "generally", "typically",
       "normally", "supposedly", "allegedly", "two",       "three",   "four",      "five",
       "several",  "possibly",   "barely",    "scarcely",  "without", "even"});
}

/// Splits at words that `cut` accepts; an empty part makes the split fail.
template <typename Cut>
std::optional<std::vector<Words>> Split(Words words, Cut cut) {
  std::vector<Words> parts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= words.size(); ++i) {
    if (i < words.size() && !cut(words[i])) continue;
    if (i > begin) parts.push_back(words.subspan(begin, i - begin));
    // ", and" is one cut; anything else empty is an error.
    if (i == begin && !(i > 0 && i < words.size() && words[i - 1].lower == ","))
      return std::nullopt;
    begin = i + 1;
  }
  return parts;
}

class EnglishSentence {
 public:
  EnglishSentence(const LogicNouns& nouns, LogicTheory& theory) : nouns_(nouns), theory_(theory) {}

  /// `rephrased` counts how often the sentence was put in other words.
  std::optional<std::vector<LogicRule>> Read(Words words, int rephrased = 0) {
    first_ = words.data();
    if (rephrased < kMaxRephrasings) {
      if (const auto plain = Rephrased(words)) return Read(*plain, rephrased + 1);
    }
    for (const auto& [head, negated] : kOpenings) {
      if (!StartsWith(words, head)) continue;
      auto rules = Read(words.subspan(head.size()), rephrased);
      if (!rules || !negated) return rules;
      if (rules->size() != 1 || !(*rules)[0].body.empty()) return std::nullopt;
      (*rules)[0].head.negated = !(*rules)[0].head.negated;
      return rules;
    }
    if (words.empty()) return std::nullopt;
    if (Is(words[0], {"if", "when", "whenever"})) return Conditional(words);
    const auto later = std::find_if(words.begin(), words.end(),
                                    [](const LogicWord& w) { return w.lower == "if"; });
    if (later != words.end()) {
      const auto at = static_cast<std::size_t>(later - words.begin());
      const Words head = words.first(at > 0 && words[at - 1].lower == "," ? at - 1 : at);
      return Implication(words.subspan(at + 1), head);
    }
    if (auto rules = Relative(words)) return rules;
    if (auto rules = Universal(words)) return rules;
    variable_ = false;
    Literals facts;
    if (!Conjunction(words, facts)) return std::nullopt;
    return RulesOf({Literals{}}, facts);
  }

 private:
  using Opening = std::pair<std::vector<std::string_view>, bool>;
  static const std::vector<Opening> kOpenings;

  static bool StartsWith(Words words, const std::vector<std::string_view>& head) {
    return words.size() > head.size() &&
           std::equal(head.begin(), head.end(), words.begin(),
                      [](std::string_view a, const LogicWord& b) { return a == b.lower; });
  }

  static std::optional<std::vector<LogicRule>> RulesOf(const std::vector<Literals>& bodies,
                                                       const Literals& heads) {
    std::vector<LogicRule> rules;
    for (const Literals& body : bodies) {
      for (const LogicLiteral& head : heads) rules.push_back({body, head, 0});
    }
    if (rules.empty()) return std::nullopt;
    return rules;
  }

  std::optional<std::vector<LogicRule>> Conditional(Words words) {
    words = words.subspan(1);
    const auto then = std::find_if(words.begin(), words.end(),
                                   [](const LogicWord& w) { return w.lower == "then"; });
    if (then != words.end()) {
      const auto at = static_cast<std::size_t>(then - words.begin());
      return Implication(words.first(at > 0 && words[at - 1].lower == "," ? at - 1 : at),
                         words.subspan(at + 1));
    }
    // Without "then" the last comma that leaves two parts that can be read parts them.
    for (std::size_t i = words.size(); i-- > 1;) {
      if (words[i].lower != ",") continue;
      if (auto rules = Implication(words.first(i), words.subspan(i + 1))) return rules;
    }
    return std::nullopt;
  }

  std::optional<std::vector<LogicRule>> Implication(Words condition, Words conclusion) {
    variable_ = false;
    subject_.reset();
    conditional_ = true;
    const auto bodies = Conditions(condition);
    if (!bodies) return std::nullopt;
    in_head_ = true;
    Literals heads;
    const bool understood = Conjunction(conclusion, heads);
    in_head_ = false;
    conditional_ = false;
    if (!understood) return std::nullopt;
    return RulesOf(*bodies, heads);
  }

  /// "A and B or C": alternatives of conjunctions.
  std::optional<std::vector<Literals>> Conditions(Words words) {
    const auto parts = Split(words, [](const LogicWord& word) { return word.lower == "or"; });
    if (!parts || parts->empty()) return std::nullopt;
    std::vector<Literals> bodies;
    for (const Words part : *parts) {
      Literals body;
      if (!Conjunction(part, body)) return std::nullopt;
      bodies.push_back(std::move(body));
    }
    return bodies;
  }

  /// Clauses joined by "and"; a part without a subject takes the one before.
  bool Conjunction(Words words, Literals& out) {
    if (!words.empty() && Is(words[0], {"both", "also"})) words = words.subspan(1);
    const auto parts = Split(words, [](const LogicWord& word) {
      return Is(word, {"and", ",", "but"});
    });
    if (!parts || parts->empty()) return false;
    // "Anne and Bob are kind": the names wait for their verb.
    std::vector<int> waiting;
    for (std::size_t i = 0; i < parts->size(); ++i) {
      const Words part = (*parts)[i];
      const bool name_alone = part.size() == 1 && part[0].capital && !IsFunction(part[0]) &&
                              i + 1 < parts->size() && out.empty();
      if (name_alone) {
        waiting.push_back(theory_.ConstantOf(NameOf(part[0])));
        continue;
      }
      const std::size_t before = out.size();
      if (!Clause(part, out)) return false;
      const Literals said(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
      for (const int name : waiting) {
        for (LogicLiteral literal : said) {
          if (literal.arguments[0] < 0) return false;
          literal.arguments[0] = name;
          out.push_back(literal);
        }
      }
    }
    return !out.empty() && (waiting.empty() || parts->size() == waiting.size() + 1);
  }

  bool Clause(Words words, Literals& out) {
    if (words.empty()) return false;
    if (Is(words[0], {"also", "then"}) && words.size() > 1) words = words.subspan(1);
    const auto auxiliary = std::find_if(words.begin(), words.end(), IsAuxiliary);
    if (auxiliary != words.end()) {
      const auto at = static_cast<std::size_t>(auxiliary - words.begin());
      if (at > 0 && !Subject(words.first(at), out)) return false;
      return subject_ && Predicate(words.subspan(at), out);
    }
    std::size_t object = words.size() - 1;
    if (!IsTerm(words[object])) {
      while (object > 0 && words[object].lower != "the") --object;
    }
    if (object == 0) return subject_ && Complement(words, false, out);
    if (object > 1 && !Subject(words.first(object - 1), out)) return false;
    return subject_ && Verb(words[object - 1], words.subspan(object), false, out);
  }

  bool IsTerm(const LogicWord& word) const {
    return (word.capital && !IsFunction(word)) || (conditional_ && IsPronoun(word));
  }

  static std::string NameOf(const LogicWord& word) {
    std::string name = word.lower;
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return name;
  }

  /// A constant, the variable, or what a pronoun stands for; "a cat" as a subject adds cat(x).
  bool Subject(Words words, Literals& out) {
    plural_ = words.back().lower == "they" || words.back().lower == "people" ||
              words.back().lower == "things";
    const bool indefinite =
        words.size() == 1 ? IsIndefinite(words[0]) : Is(words[0], {"a", "an", "some", "any"});
    if (indefinite) {
      // A second "someone" would be somebody else, and in a conclusion it says "there is".
      if (!conditional_ || in_head_ || variable_) return false;
      variable_ = true;
      subject_ = kVariable;
      return words.size() == 1 || Restriction(words.subspan(1), out);
    }
    const auto term = Term(words);
    if (term) subject_ = *term;
    return term.has_value();
  }

  std::optional<int> Term(Words words) {
    if (words.size() == 1 && IsPronoun(words[0])) {
      if (variable_) return kVariable;
      return subject_;
    }
    const bool pointing =
        words.size() == 2 && Is(words[0], {"the", "that", "this"}) && IsGeneric(words[1]);
    if (pointing) return variable_ ? std::optional<int>(kVariable) : std::nullopt;
    if (words[0].lower == "the" && words.size() >= 2 && words.size() <= 4) {
      std::string name = "the";
      for (const LogicWord& word : words.subspan(1)) {
        if (IsFunction(word)) return std::nullopt;
        name += " " + word.lower;
      }
      return theory_.ConstantOf(name);
    }
    if (words.size() != 1 || !words[0].capital || IsFunction(words[0]) || IsGeneric(words[0]))
      return std::nullopt;
    if (conditional_ && Is(words[0], {"x", "y", "z"})) return kVariable - (words[0].lower[0] - 'x');
    return theory_.ConstantOf(NameOf(words[0]));
  }

  bool Predicate(Words words, Literals& out) {
    const LogicWord& first = words[0];
    words = words.subspan(1);
    if (IsBe(first)) {
      plural_ = first.lower == "are" || first.lower == "were";
      return Complement(words, false, out);
    }
    bool negated = false;
    if (!words.empty() && Is(words[0], {"not", "never"})) {
      negated = true;
      words = words.subspan(1);
    }
    if (words.empty() || IsFunction(words[0])) return false;
    if (first.lower == "can") {
      return words.size() == 1 &&
             Add(theory_.PredicateOf("can " + words[0].lower, PredicateForm::kVerb),
                 LogicLiteral::kNone, negated, out);
    }
    plural_ = true;  // a base form follows
    return negated && Verb(words[0], words.subspan(1), true, out);
  }

  bool Verb(const LogicWord& verb, Words object, bool negated, Literals& out) {
    if (IsFunction(verb) || IsGeneric(verb) || object.empty()) return false;
    const auto saved = subject_;
    const auto term = Term(object);
    if (!term || !saved) return false;
    const std::string base = plural_ ? verb.lower : BaseOfVerb(verb.lower);
    return Add(theory_.PredicateOf(base, PredicateForm::kVerb), *term, negated, out);
  }

  bool Add(int predicate, int object, bool negated, Literals& out) const {
    out.push_back({predicate, {*subject_, object}, negated});
    return true;
  }

  /// What stands behind "is": "not", then "a wumpus", "kind", "taller than the cat".
  bool Complement(Words words, bool negated, Literals& out) {
    while (!words.empty() && Is(words[0], {"not", "never", "also", "always", "both"})) {
      // "Not always" and "not both" are not the opposite.
      if (negated && !Is(words[0], {"also"})) return false;
      negated = negated != Is(words[0], {"not", "never"});
      words = words.subspan(1);
    }
    for (const auto& [head, negates] :
         {Opening{{"known", "to", "be"}, false}, Opening{{"certain", "to", "be"}, false},
          Opening{{"sure", "to", "be"}, false}, Opening{{"bound", "to", "be"}, false},
          Opening{{"found", "to", "be"}, false}, Opening{{"guaranteed", "to", "be"}, false}}) {
      if (!StartsWith(words, head)) continue;
      // What is not certain may be so.
      if (negated) return false;
      words = words.subspan(head.size());
      negated = negated != negates;
    }
    const bool article = !words.empty() && Is(words[0], {"a", "an"});
    if (article) words = words.subspan(1);
    if (words.empty() || IsFunction(words[0]) || IsGeneric(words[0])) return false;
    if (words[0].capital && &words[0] != first_) return false;
    if (words.size() == 1) {
      const bool noun = article || (plural_ && LooksPlural(words[0].lower));
      const std::string name =
          noun && !article ? SingularOf(words[0].lower, nouns_) : words[0].lower;
      return Add(theory_.PredicateOf(name, noun ? PredicateForm::kNoun : PredicateForm::kAdjective),
                 LogicLiteral::kNone, negated, out);
    }
    if (words.size() < 3 || !Is(words[1], {"than", "of", "to", "in", "with", "by", "near", "from"}))
      return false;
    const auto object = Term(words.subspan(2));
    if (!object) return false;
    return Add(theory_.PredicateOf(words[0].lower + " " + words[1].lower, PredicateForm::kRelation),
               *object, negated, out);
  }

  /// "red, round things" or "kind cats": what they demand of the variable.
  bool Restriction(Words words, Literals& out) {
    if (words.empty()) return false;
    subject_ = kVariable;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (Is(words[i], {",", "and"}) && i > 0) continue;
      if (IsFunction(words[i]) || IsGeneric(words[i]) || IsPronoun(words[i])) return false;
      Add(theory_.PredicateOf(words[i].lower, PredicateForm::kAdjective), LogicLiteral::kNone,
          false, out);
    }
    const LogicWord& head = words.back();
    if (IsFunction(head) || IsPronoun(head)) return false;
    if (IsGeneric(head)) return true;
    Add(theory_.PredicateOf(SingularOf(head.lower, nouns_), PredicateForm::kNoun),
        LogicLiteral::kNone, false, out);
    return true;
  }

  std::optional<std::vector<LogicRule>> Conclude(const std::vector<Literals>& bodies,
                                                 Words predicate, bool none) {
    Literals heads;
    subject_ = kVariable;
    conditional_ = true;
    variable_ = true;
    in_head_ = true;
    const bool understood = Conjunction(predicate, heads);
    in_head_ = false;
    conditional_ = false;
    if (!understood || (none && heads.size() != 1)) return std::nullopt;
    for (const LogicLiteral& head : heads) {
      if (head.arguments[0] != kVariable) return std::nullopt;
    }
    if (none) heads[0].negated = !heads[0].negated;
    return RulesOf(bodies, heads);
  }

  /// "Whoever is kind is happy", "No one who is red is kind", "People who are red are kind".
  std::optional<std::vector<LogicRule>> Relative(Words words) {
    const bool whoever = Is(words[0], {"whoever", "whatever"});
    const auto who = std::find_if(words.begin(), words.end(), [](const LogicWord& w) {
      return Is(w, {"who", "that", "which", "whoever", "whatever"});
    });
    if (who == words.end()) return std::nullopt;
    auto at = static_cast<std::size_t>(who - words.begin());
    Words head = words.first(at);
    bool none = false;
    if (!whoever) {
      none = head[0].lower == "no" || Is(head[0], {"nobody", "nothing"});
      if (Is(head[0], {"a", "an", "any", "every", "each", "all", "no"}) && head.size() > 1)
        head = head.subspan(1);
      // "Someone who is kind is red" says that there is one.
      if (head[0].lower == "the" || IsSomeone(head[0])) return std::nullopt;
    }
    Literals base;
    if (!whoever && !Is(head[0], {"nobody", "nothing"}) && !Restriction(head, base))
      return std::nullopt;
    // The main verb is the last "is" or "are".
    std::size_t main = words.size();
    while (main > at + 2 && !IsBe(words[main - 1])) --main;
    if (main <= at + 2) return std::nullopt;
    variable_ = true;
    conditional_ = true;
    subject_ = kVariable;
    const Words condition = words.subspan(at + 1, main - 1 - at - 1);
    auto bodies = Conditions(condition.back().lower == "," ? condition.first(condition.size() - 1)
                                                           : condition);
    conditional_ = false;
    if (!bodies) return std::nullopt;
    for (Literals& body : *bodies) body.insert(body.begin(), base.begin(), base.end());
    return Conclude(*bodies, words.subspan(main - 1), none);
  }

  /// "All red things are kind", "Every wumpus is a rompus", "Wumpuses are red", "Nobody is kind".
  std::optional<std::vector<LogicRule>> Universal(Words words) {
    const bool all = Is(words[0], {"everything", "everyone", "everybody", "anything", "anyone"});
    const bool nothing = Is(words[0], {"nothing", "nobody"});
    if (all || nothing) return Conclude({Literals{}}, words.subspan(1), nothing);
    const bool none = words[0].lower == "no";
    const bool each = Is(words[0], {"every", "each", "any", "a", "an"});
    const bool marked = none || each || words[0].lower == "all";
    if (marked) words = words.subspan(1);
    std::size_t verb = 0;
    while (verb < words.size() && !IsAuxiliary(words[verb])) ++verb;
    const bool transitive = verb == words.size();
    if (transitive) {
      // The verb stands before its object.
      if (words.size() < 3) return std::nullopt;
      std::size_t object = words.size() - 1;
      if (!words[object].capital) {
        while (object > 0 && words[object].lower != "the") --object;
      }
      if (object < 2) return std::nullopt;
      verb = object - 1;
    }
    if (verb == 0 || words[0].lower == "the") return std::nullopt;
    const bool plural_subject =
        transitive ? LooksPlural(words[verb - 1].lower) && !words[verb].lower.ends_with('s')
                   : Is(words[verb], {"are", "were", "do"}) ||
                         (Is(words[verb], {"can"}) && LooksPlural(words[verb - 1].lower));
    // Names in a list take "are" too: "Anne and Bob are kind".
    const bool names = std::all_of(
        words.begin(), words.begin() + static_cast<std::ptrdiff_t>(verb), [](const LogicWord& w) {
          return (w.capital && !LooksPlural(w.lower)) || Is(w, {"and", ","});
        });
    if (!marked && (!plural_subject || names)) return std::nullopt;
    Literals body;
    if (!Restriction(words.first(verb), body)) return std::nullopt;
    plural_ = plural_subject || (transitive && !each);
    return Conclude({body}, words.subspan(verb), none);
  }

  const LogicNouns& nouns_;
  LogicTheory& theory_;
  const LogicWord* first_ = nullptr;  ///< of the sentence: its capital says nothing
  bool variable_ = false;             ///< a "someone" is open to pronouns
  bool conditional_ = false;          ///< within a rule
  bool in_head_ = false;
  bool plural_ = false;  ///< the verb is in its base form, a complement may be plural
  std::optional<int> subject_;
};

const std::vector<EnglishSentence::Opening> EnglishSentence::kOpenings = {
    {{"it", "is", "certain", "that"}, false},
    {{"it", "is", "known", "that"}, false},
    {{"it", "is", "true", "that"}, false},
    {{"we", "know", "that"}, false},
    {{"it", "is", "not", "true", "that"}, true},
    {{"it", "is", "false", "that"}, true},
    {{"it", "is", "not", "the", "case", "that"}, true},
};

}  // namespace

void CollectNouns(std::string_view text, LogicNouns& nouns) {
  std::string previous;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    char c = i < text.size() ? text[i] : ' ';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || c == '-') {
      word += c;
      continue;
    }
    if (IsOneOf(previous, {"a", "an", "every", "each"}) && !word.empty()) nouns.insert(word);
    if (!word.empty()) previous = std::exchange(word, {});
  }
}

std::optional<std::vector<LogicRule>> ReadEnglish(std::string_view sentence,
                                                  const LogicNouns& nouns, LogicTheory& theory) {
  // A colon is a word here: it parts a claim from what is said of it.
  const auto colon = sentence.find(':');
  std::vector<LogicWord> words = WordsOf(sentence.substr(0, colon));
  if (colon != std::string_view::npos) {
    const std::vector<LogicWord> claim = WordsOf(sentence.substr(colon + 1));
    if (words.empty() || claim.empty()) return std::nullopt;
    words.push_back({":"});
    words.insert(words.end(), claim.begin(), claim.end());
  }
  if (words.empty() || words.size() > kMaxWords) return std::nullopt;
  // Numbers count, and no rule does.
  if (std::any_of(words.begin(), words.end(),
                  [](const LogicWord& w) { return w.lower[0] >= '0' && w.lower[0] <= '9'; }))
    return std::nullopt;
  return EnglishSentence(nouns, theory).Read(words);
}

}  // namespace ergo::reasoning
