#include "reasoning/verify/arithmetic.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "reasoning/verify/arithmetic_claim.h"
#include "reasoning/verify/phrase_parser.h"
#include "reasoning/verify/phrase_token.h"

namespace ergo::reasoning {
namespace {

using Kind = TokenKind;

constexpr std::size_t kMaxLeft = 80;  // tokens that a left side may reach back
constexpr std::size_t kMaxFindings = 400;
constexpr std::size_t kSteps = 300000;  // of the parser, for a whole text

bool In(Kind kind, std::initializer_list<Kind> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// What may stand before a phrase that is whole.
enum class Edge { kClean, kSoft, kBroken };

Edge EdgeBefore(std::span<const Token> tokens, std::size_t begin) {
  if (tokens[begin].kind == Kind::kPlus) return Edge::kBroken;
  if (begin == 0) return Edge::kClean;
  const bool dash = tokens[begin].kind == Kind::kMinus;
  const Kind kind = tokens[begin - 1].kind;
  if (tokens[begin - 1].text == "or") return Edge::kSoft;
  // What follows a word and a minus may be subtracted from the word.
  if (dash && !In(kind, {Kind::kStop, Kind::kComma, Kind::kEquals, Kind::kIs}))
    return Edge::kBroken;
  if (In(kind, {Kind::kStop, Kind::kComma, Kind::kWord, Kind::kBreak, Kind::kAnd, Kind::kIs,
                Kind::kEquals, Kind::kApprox, Kind::kAddUp, Kind::kAbout, Kind::kDoubt, Kind::kEach,
                Kind::kTo, Kind::kMore, Kind::kLess})) {
    return Edge::kClean;
  }
  if (In(kind, {Kind::kClose, Kind::kNumber, Kind::kFrom, Kind::kOpen, Kind::kDe, Kind::kBy})) {
    return Edge::kSoft;
  }
  return Edge::kBroken;
}

Edge EdgeAfter(std::span<const Token> tokens, const PhraseValue& value) {
  const std::size_t end = value.end;
  if (end >= tokens.size()) return Edge::kClean;
  const Token& token = tokens[end];
  if (token.kind == Kind::kOf) return value.part ? Edge::kSoft : Edge::kClean;
  if (token.kind == Kind::kOpen) {
    // "(mod 7)"
    const Kind inside = end + 1 < tokens.size() ? tokens[end + 1].kind : Kind::kStop;
    const bool factor = inside == Kind::kOpaque || !In(inside, {Kind::kWord, Kind::kStop});
    return factor ? Edge::kSoft : Edge::kClean;
  }
  for (std::size_t i = end; i < std::min(tokens.size(), end + 4); ++i) {
    if (tokens[i].kind == Kind::kStop) break;
    if (tokens[i].text == "remainder" || tokens[i].text == "余" || tokens[i].text == "o'clock") {
      return Edge::kSoft;
    }
  }
  if (In(token.kind,
         {Kind::kStop,   Kind::kComma,    Kind::kListComma,   Kind::kWord,        Kind::kBreak,
          Kind::kAnd,    Kind::kClose,    Kind::kEquals,      Kind::kApprox,      Kind::kIs,
          Kind::kTo,     Kind::kAddUp,    Kind::kFrom,        Kind::kBy,          Kind::kDoubt,
          Kind::kAbout,  Kind::kDe,       Kind::kEach,        Kind::kDozen,       Kind::kShareInto,
          Kind::kAdding, Kind::kCurrency, Kind::kSubtracting, Kind::kMultiplying, Kind::kDividing,
          Kind::kTwice,  Kind::kThan})) {
    return Edge::kClean;
  }
  return Edge::kSoft;
}

struct Side {
  PhraseValue value;
  std::size_t begin = 0;
  Edge edge = Edge::kClean;
};

struct Claim {
  std::size_t sign = 0;      ///< the connective
  std::size_t left_end = 0;  ///< past the left side
  std::size_t right = 0;     ///< first token of the right side
  bool approximate = false;
};

struct Outcome {
  Agreement agreement = Agreement::kIncomparable;
  Side left;
  Side right;
  Rational truth = 0;
  bool reversed = false;  ///< the left side is what is claimed
  bool found = false;
};

class ClaimReader {
 public:
  ClaimReader(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  std::vector<Finding> Run(std::chrono::steady_clock::time_point until);

 private:
  static bool Connects(Kind kind) {
    return In(kind,
              {Kind::kEquals, Kind::kApprox, Kind::kIs, Kind::kAddUp, Kind::kEach, Kind::kThan});
  }
  Claim Locate(std::size_t sign) const;
  std::vector<Side> LeftSides(const Claim& claim, Reading mode);
  std::vector<Side> RightSides(const Claim& claim, Reading mode);
  Outcome Judge(const Claim& claim);
  void Consider(const Claim& claim, const Side& left, const Side& right, Outcome* best) const;
  std::optional<Finding> Report(const Claim& claim, const Outcome& outcome) const;
  bool MayRefute(const Claim& claim, const Outcome& outcome) const;
  bool IsClaim(const Claim& claim, const Outcome& outcome) const;
  bool Doubted(std::size_t begin, std::size_t end) const;
  std::string Slice(const Side& side) const;
  std::size_t ShownEnd(const Side& side) const;

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t steps_ = kSteps;
};

Claim ClaimReader::Locate(std::size_t sign) const {
  Claim claim;
  claim.sign = sign;
  claim.left_end = sign;
  claim.right = sign + 1;
  const Kind kind = tokens_[sign].kind;
  claim.approximate = kind == Kind::kApprox;
  if (kind == Kind::kThan) {
    claim.right = sign;
    return claim;
  }
  // "…，和是", "…, and the result is"
  if (kind == Kind::kIs && sign >= 2 && tokens_[sign - 2].kind == Kind::kComma) {
    const Token& word = tokens_[sign - 1];
    const bool result = In(word.kind, {Kind::kSumWord, Kind::kDifferenceWord, Kind::kProductWord,
                                       Kind::kQuotientWord}) ||
                        word.text == "和";
    if (result) claim.left_end = sign - 1;
  }
  if (kind != Kind::kEquals && kind != Kind::kApprox && claim.left_end > 0 &&
      tokens_[claim.left_end - 1].kind == Kind::kComma) {
    --claim.left_end;
  }
  static constexpr std::array<std::string_view, 20> kFillers = {
      "exactly", "just", "only", "also", "simply", "now", "still", "again", "precisely", "a",
      "了",      "有",   "要",   "花",   "需",     "出",  "到",    "用",    "花费",      "an"};
  for (int skipped = 0; skipped < 4 && claim.right < tokens_.size(); ++skipped) {
    const Token& token = tokens_[claim.right];
    const bool filler = token.kind == Kind::kWord &&
                        std::find(kFillers.begin(), kFillers.end(), token.text) != kFillers.end();
    if (token.kind == Kind::kAbout)
      claim.approximate = true;
    else if (!filler)
      break;
    ++claim.right;
  }
  return claim;
}

std::vector<Side> ClaimReader::LeftSides(const Claim& claim, Reading mode) {
  std::vector<Side> sides;
  std::size_t begin = claim.left_end;
  while (begin > 0 && claim.left_end - begin < kMaxLeft && tokens_[begin - 1].kind != Kind::kStop) {
    --begin;
  }
  PhraseParser parser(tokens_, mode);
  const bool list = tokens_[claim.sign].kind == Kind::kAddUp;
  for (; begin < claim.left_end; ++begin) {
    const Edge edge = EdgeBefore(tokens_, begin);
    if (edge == Edge::kBroken || steps_ == 0) continue;
    parser.set_steps(std::min<std::size_t>(steps_, 2000));
    auto value = parser.Parse(begin);
    const bool whole = value && value->end == claim.left_end;
    if (!whole && list) value = parser.ParseList(begin);
    steps_ -= std::min<std::size_t>(steps_, 12);
    if (value && value->end == claim.left_end) sides.push_back({*value, begin, edge});
    if (sides.size() >= 8) break;
  }
  return sides;
}

std::vector<Side> ClaimReader::RightSides(const Claim& claim, Reading mode) {
  std::vector<Side> sides;
  if (claim.right >= tokens_.size()) return sides;
  PhraseParser parser(tokens_, mode);
  parser.set_steps(std::min<std::size_t>(steps_, 2000));
  std::size_t begin = claim.right;
  auto whole = parser.Parse(begin);
  if (!whole && tokens_[begin].kind == Kind::kSumOf && begin + 1 < tokens_.size()) {
    whole = parser.Parse(++begin);  // "a total of 42"
  }
  steps_ -= std::min<std::size_t>(steps_, 12);
  if (!whole) return sides;
  sides.push_back({*whole, begin, EdgeAfter(tokens_, *whole)});
  if (whole->operation) {
    const auto operand = parser.ParseOperand(begin);
    if (operand && operand->end != whole->end) sides.push_back({*operand, begin, Edge::kSoft});
  }
  return sides;
}

void ClaimReader::Consider(const Claim& claim, const Side& left, const Side& right,
                           Outcome* best) const {
  const bool reversed = !left.value.operation && !left.value.relation &&
                        (right.value.operation || right.value.relation);
  const Comparison comparison = reversed ? Compare(right.value, left.value, claim.approximate)
                                         : Compare(left.value, right.value, claim.approximate);
  const bool better =
      !best->found || static_cast<int>(comparison.agreement) < static_cast<int>(best->agreement);
  if (!better) return;
  *best = {comparison.agreement, left, right, comparison.truth, reversed, true};
}

// Only one side may say per cent, and that side must be nothing else: "15/60 * 100 = 25%".
bool PlainPercent(const PhraseValue& a, const PhraseValue& b) {
  return a.percent != b.percent && (a.percent ? a.all_percent : b.all_percent);
}

// Over all readings; the first one (longest, % as a part) counts unless another agrees better.
Outcome ClaimReader::Judge(const Claim& claim) {
  Outcome best;
  bool percent = false;
  bool dozen = false;
  for (const Reading mode :
       {Reading::kPart, Reading::kPlain, Reading::kRelative, Reading::kUnits}) {
    const bool needed = mode == Reading::kPart || (mode == Reading::kUnits ? dozen : percent);
    if (!needed || (best.found && best.agreement == Agreement::kEqual)) continue;
    const std::vector<Side> rights = RightSides(claim, mode);
    if (rights.empty()) return best;
    for (const Side& left : LeftSides(claim, mode)) {
      for (const Side& right : rights) {
        percent = percent || left.value.percent || right.value.percent;
        dozen = dozen || left.value.dozen || right.value.dozen;
        if (mode == Reading::kPlain && !PlainPercent(left.value, right.value)) continue;
        Consider(claim, left, right, &best);
      }
    }
  }
  return best;
}

bool ClaimReader::Doubted(std::size_t begin, std::size_t end) const {
  while (begin > 0 && tokens_[begin - 1].kind != Kind::kStop) --begin;
  while (end < tokens_.size() && tokens_[end].kind != Kind::kStop) ++end;
  return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(begin),
                     tokens_.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const Token& token) { return token.kind == Kind::kDoubt; });
}

// Two numbers side by side are a claim only if their units say so: "90 minutes = 1.5 hours".
bool ClaimReader::IsClaim(const Claim& claim, const Outcome& outcome) const {
  const PhraseValue& a = outcome.left.value;
  const PhraseValue& b = outcome.right.value;
  const Kind kind = tokens_[claim.sign].kind;
  if (kind == Kind::kAddUp && b.operation && outcome.agreement != Agreement::kEqual) return false;
  if (kind == Kind::kEach) {
    const bool shared = std::any_of(
        tokens_.begin() + static_cast<std::ptrdiff_t>(outcome.left.begin),
        tokens_.begin() + static_cast<std::ptrdiff_t>(claim.left_end), [](const Token& token) {
          return In(token.kind, {Kind::kShareInto, Kind::kOver});
        });
    return shared;
  }
  if (a.operation || b.operation) return true;
  const bool same_label = a.label == b.label || a.label.empty() || b.label.empty();
  if (a.relation || b.relation) return same_label && a.quantity.measured == b.quantity.measured;
  if (a.quantity.measured && b.quantity.measured) {
    return a.quantity.power == b.quantity.power &&
           (a.quantity.scale != b.quantity.scale || kind == Kind::kEquals);
  }
  if (kind != Kind::kEquals || !same_label || a.quantity.measured != b.quantity.measured) {
    return false;
  }
  // "… = 8 = 9" goes on with a chain.
  const bool chained = outcome.left.begin > 0 &&
                       tokens_[outcome.left.begin - 1].kind == Kind::kEquals && a.label.empty() &&
                       !a.percent && !b.percent;
  return chained || outcome.agreement == Agreement::kEqual;
}

bool ClaimReader::MayRefute(const Claim& claim, const Outcome& outcome) const {
  const PhraseValue& a = outcome.left.value;
  const PhraseValue& b = outcome.right.value;
  if (outcome.left.edge != Edge::kClean || outcome.right.edge != Edge::kClean) return false;
  if (a.doubtful || b.doubtful) return false;
  const bool bare_left = !a.operation && !a.relation;
  const Kind before = outcome.left.begin > 0 ? tokens_[outcome.left.begin - 1].kind : Kind::kStop;
  // "Step 1 = …": a number behind a word may be its name.
  if (bare_left && before == Kind::kWord && !a.quantity.measured) return false;
  if (bare_left && tokens_[claim.sign].kind != Kind::kEquals) {
    // "With 8 pieces, that is 5*8 = 40": the chain goes on without the number.
    const std::size_t end = outcome.right.value.end;
    if (end < tokens_.size() && tokens_[end].kind == Kind::kEquals) return false;
    if (!In(before, {Kind::kStop, Kind::kBreak, Kind::kComma})) return false;
  }
  if (a.part && !b.part && !a.relation && abs(b.quantity.plain) >= 1) return false;
  if (tokens_[claim.sign].kind == Kind::kIs && before == Kind::kAnd && a.relation) return false;
  const bool bare = bare_left && !b.operation && !b.relation;
  if (bare && a.percent != b.percent) return false;
  return !Doubted(outcome.left.begin, outcome.right.value.end);
}

// Without "in the morning" behind a noun.
std::size_t ClaimReader::ShownEnd(const Side& side) const {
  static constexpr std::array<std::string_view, 8> kPrepositions = {"in",   "for",  "at",     "on",
                                                                    "left", "into", "during", "余"};
  std::size_t last = side.value.end;
  for (std::size_t i = side.value.end; i > side.begin + 1; --i) {
    const Token& token = tokens_[i - 1];
    if (token.kind == Kind::kNumber || token.kind == Kind::kClose) break;
    if (std::find(kPrepositions.begin(), kPrepositions.end(), token.text) != kPrepositions.end()) {
      last = i - 1;
    }
  }
  return tokens_[last - 1].span.end;
}

std::string ClaimReader::Slice(const Side& side) const {
  const std::size_t begin = tokens_[side.begin].span.begin;
  const std::size_t end = ShownEnd(side);
  std::string slice(text_.substr(begin, end - begin));
  // Markers that stand inside are not for people.
  for (std::size_t at = slice.find("<<"); at != slice.npos; at = slice.find("<<", at)) {
    const std::size_t close = slice.find(">>", at);
    if (close == slice.npos) break;
    slice.erase(at, close + 2 - at);
  }
  return slice;
}

// "3.333…" where the decimals do not end.
std::string ShortText(const Rational& value) {
  if (auto exact = DecimalText(value, 8)) return *exact;
  const int decimals = abs(value) < 1 ? 6 : 4;
  return DecimalText(RoundTo(value, decimals), decimals).value_or(Text(value)) + "…";
}

std::optional<Finding> ClaimReader::Report(const Claim& claim, const Outcome& outcome) const {
  if (!outcome.found || !IsClaim(claim, outcome)) return std::nullopt;
  const std::string& label = outcome.right.value.label;
  const bool remainder = label == "remainder" || label == "余" || label == "r";
  if (remainder && outcome.agreement != Agreement::kEqual) return std::nullopt;
  Finding finding;
  finding.method = "arithmetic";
  finding.semantics = "exact rationals";
  finding.span = {tokens_[outcome.left.begin].span.begin, ShownEnd(outcome.right)};
  const Side& computed = outcome.reversed ? outcome.right : outcome.left;
  const Side& claimed = outcome.reversed ? outcome.left : outcome.right;
  const std::string what = Slice(computed);
  const std::string said = Slice(claimed);
  const Rational truth = outcome.truth * (claimed.value.hundredths ? 100 : 1);
  finding.value = WriteLike(truth, claimed.value);
  switch (outcome.agreement) {
    case Agreement::kEqual:
      finding.verdict = Verdict::kVerified;
      finding.exact = true;
      finding.reason = what + " is " + said + ".";
      break;
    case Agreement::kRounded:
    case Agreement::kTruncated:
      finding.verdict = Verdict::kVerified;
      finding.exact = true;
      finding.reason = what + " is " + ShortText(outcome.truth) + ", " +
                       (outcome.agreement == Agreement::kRounded ? "rounded to " : "cut off to ") +
                       said + ".";
      break;
    case Agreement::kNear:
      finding.reason = what + " is " + ShortText(outcome.truth) + ", only near " + said + ".";
      break;
    case Agreement::kConversion:
      finding.reason = what + " is " + ShortText(outcome.truth) + ", and " + said +
                       " would need a change of units that the text does not show.";
      finding.value.clear();
      break;
    case Agreement::kIncomparable:
      finding.reason = what + " and " + said + " have units that cannot be compared.";
      finding.value.clear();
      break;
    case Agreement::kDifferent:
      if (!MayRefute(claim, outcome)) return std::nullopt;
      finding.verdict = Verdict::kRefuted;
      finding.exact = true;
      finding.reason = what + " is " + finding.value + ", not " + said + ".";
      break;
  }
  return finding;
}

std::vector<Finding> ClaimReader::Run(std::chrono::steady_clock::time_point until) {
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < tokens_.size() && findings.size() < kMaxFindings; ++i) {
    if (!Connects(tokens_[i].kind)) continue;
    if (steps_ == 0 || std::chrono::steady_clock::now() >= until) break;
    const Claim claim = Locate(i);
    if (auto finding = Report(claim, Judge(claim))) findings.push_back(std::move(*finding));
  }
  return findings;
}

}  // namespace

std::vector<Finding> ArithmeticCheck::Run(const CheckInput& input) const {
  const std::string_view text = input.text;
  std::vector<Finding> findings =
      ClaimReader(text, Tokenize(text, {0, text.size()})).Run(input.until);
  for (const Span& marker : FindMarkers(text)) {
    if (findings.size() >= kMaxFindings) break;
    auto inside = ClaimReader(text, Tokenize(text, marker)).Run(input.until);
    std::move(inside.begin(), inside.end(), std::back_inserter(findings));
  }
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.span.begin < b.span.begin; });
  return findings;
}

std::optional<std::string> ExactValueAfterEquals(std::string_view text) {
  constexpr std::size_t kReach = 600;
  const std::size_t open = text.rfind("<<");
  const std::size_t close = text.rfind(">>");
  std::size_t begin = text.size() > kReach ? text.size() - kReach : 0;
  const bool marker = open != text.npos && (close == text.npos || close < open);
  if (marker) begin = std::max(begin, open + 2);
  const std::vector<Token> tokens = Tokenize(text, {begin, text.size()});
  std::size_t sign = tokens.size();
  bool currency_follows = false;
  if (sign > 0 && tokens[sign - 1].kind == Kind::kCurrency) {
    currency_follows = true;
    --sign;
  }
  if (sign < 2 || tokens[sign - 1].kind != Kind::kEquals) return std::nullopt;
  --sign;
  for (std::size_t start = sign > kMaxLeft ? sign - kMaxLeft : 0; start < sign; ++start) {
    if (EdgeBefore(tokens, start) != Edge::kClean) continue;
    PhraseParser parser(tokens, Reading::kPart);
    auto value = parser.Parse(start);
    if (!value || value->end != sign) continue;
    const Quantity& q = value->quantity;
    if (!value->operation || !q.plain_valid || value->doubtful) return std::nullopt;
    if (value->percent) {
      auto plain = PhraseParser(tokens, Reading::kRelative).Parse(start);
      if (!plain || plain->quantity.plain != q.plain) return std::nullopt;
    }
    PhraseValue form = *value;
    form.decimals = value->currency && !IsInteger(q.plain) ? 2 : 0;
    if (form.decimals == 2 && RoundTo(q.plain, 2) != q.plain) form.decimals = 0;
    std::string written = WriteLike(q.plain, form);
    const bool dollars = value->currency && !currency_follows && !marker && q.measured;
    if (!dollars) return written;
    const auto sign_token = std::find_if(tokens.begin(), tokens.end(), [](const Token& token) {
      return token.kind == Kind::kCurrency;
    });
    const Span at = sign_token->span;
    return std::string(text.substr(at.begin, at.end - at.begin)) + written;
  }
  return std::nullopt;
}

}  // namespace ergo::reasoning
