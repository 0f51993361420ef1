#include <fmt/format.h>

#include <cctype>

#include "tokenizer/regex.h"
#include "tokenizer/unicode_class.h"

namespace ergo::tokenizer {
namespace {

constexpr std::string_view kSpaceItems = "\\t-\\r\\x{20}\\x{85}\\p{Z}";
constexpr std::string_view kWordItems = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
constexpr std::string_view kHexItems = "0-9a-fA-F";
constexpr int kMaxClassDepth = 16;

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  Result<std::string> Run() {
    std::string out;
    while (at_ < in_.size() && error_.empty()) {
      const char c = in_[at_];
      if (c == '\\') {
        out += Escape(false);
      } else if (c == '[') {
        ++at_;
        out += Class(0);
      } else if (c == '{' && in_.substr(at_, 2) == "{,") {
        out += "{0,";
        at_ += 2;
      } else {
        out += c;
        ++at_;
      }
    }
    if (!error_.empty()) return Fail(error_);
    return out;
  }

 private:
  std::string Refuse(std::string why) {
    if (error_.empty()) error_ = "regular expression: " + std::move(why);
    at_ = in_.size();
    return {};
  }

  /// Members of a named set: the items of a positive class.
  static std::string Members(std::string_view name) {
    std::string items = fmt::format("\\p{{{}}}", name);
    const bool category = !name.empty() && name.size() <= 2 && std::isupper(name[0]) != 0 &&
                          (name.size() == 1 || std::islower(name[1]) != 0);
    if (category) items += AddedRangesOf(name);
    return items;
  }

  /// Items in a class, or a class of their own outside of one.
  static std::string Place(std::string_view items, bool negated, bool in_class) {
    if (in_class) return std::string(items);
    return fmt::format("[{}{}]", negated ? "^" : "", items);
  }

  /// \p{Name}, \p{^Name}, \P{Name}; at_ stands behind the p.
  std::string Property(bool negated, bool in_class) {
    if (at_ >= in_.size() || in_[at_] != '{') return Refuse("\\p without braces");
    const std::size_t close = in_.find('}', at_);
    if (close == std::string_view::npos) return Refuse("\\p{ without its end");
    std::string_view name = in_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    for (const char c : name) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') {
        return Refuse("property with a strange name");
      }
    }
    if (negated && in_class) return fmt::format("\\P{{{}}}", name);
    return Place(Members(name), negated, in_class);
  }

  std::string Escape(bool in_class) {
    if (at_ + 1 >= in_.size()) return Refuse("ends with a backslash");
    const char c = in_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 's':
        return Place(kSpaceItems, false, in_class);
      case 'S':
        return in_class ? "\\S" : Place(kSpaceItems, true, false);
      case 'w':
        return Place(std::string(kWordItems) + WordAdditions(), false, in_class);
      case 'W':
        return in_class ? "\\W" : Place(std::string(kWordItems) + WordAdditions(), true, false);
      case 'd':
        return Place(Members("Nd"), false, in_class);
      case 'D':
        return in_class ? "\\P{Nd}" : Place(Members("Nd"), true, false);
      case 'h':
        return Place(kHexItems, false, in_class);
      case 'H':
        return in_class ? Refuse("\\H in a class") : Place(kHexItems, true, false);
      case 'p':
        return Property(false, in_class);
      case 'P':
        return Property(true, in_class);
      case 'u':
        return CodePoint();
      default:
        return std::string{'\\', c};
    }
  }

  static std::string WordAdditions() {
    return AddedRangesOf("L") + AddedRangesOf("M") + AddedRangesOf("Nd") + AddedRangesOf("Pc");
  }

  /// \uHHHH; at_ stands behind the u.
  std::string CodePoint() {
    const std::string_view digits = in_.substr(at_, 4);
    for (const char c : digits) {
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return Refuse("\\u without digits");
    }
    if (digits.size() != 4) return Refuse("\\u without digits");
    at_ += 4;
    return fmt::format("\\x{{{}}}", digits);
  }

  /// One bracket expression; at_ stands behind its '['.
  std::string Class(int depth) {
    if (depth > kMaxClassDepth) return Refuse("classes nested too deep");
    const bool negated = at_ < in_.size() && in_[at_] == '^';
    if (negated) ++at_;
    std::string items;
    std::string intersected;  // lookaheads for the operands of && before the last
    bool first = true;
    for (; error_.empty(); first = false) {
      if (at_ >= in_.size()) return Refuse("class without its end");
      const char c = in_[at_];
      if (c == ']' && !first) {
        ++at_;
        break;
      }
      if (in_.substr(at_, 2) == "&&") {
        at_ += 2;
        intersected += "(?=" + Operand(items) + ")";
        items.clear();
      } else if (in_.substr(at_, 2) == "[:") {
        items += PosixClass();
      } else if (c == '[') {
        ++at_;
        items += Nested(depth);
      } else if (c == '\\') {
        items += Escape(true);
      } else {
        items += c;
        ++at_;
      }
    }
    const bool plain = intersected.empty() && whole_class_.empty();
    if (plain) return fmt::format("[{}{}]", negated ? "^" : "", items);
    if (negated) return Refuse("complement of a class that holds a complement or an intersection");
    if (intersected.empty()) return Operand(items);
    return "(?:" + intersected + Operand(items) + ")";
  }

  /// One side of an intersection: the items of a class, or a complete class.
  std::string Operand(const std::string& items) {
    if (items.empty()) return Refuse("empty side of &&");
    if (whole_class_.empty()) return "[" + items + "]";
    if (whole_class_ != items) return Refuse("union of a class with a complement");
    whole_class_.clear();
    return items;
  }

  std::string PosixClass() {
    const std::size_t close = in_.find(":]", at_);
    if (close == std::string_view::npos) return Refuse("[: without its end");
    const std::string text(in_.substr(at_, close + 2 - at_));
    at_ = close + 2;
    return text;
  }

  /// A class inside a class: a union where it is positive, kept whole as a side of &&.
  std::string Nested(int depth) {
    if (!whole_class_.empty()) return Refuse("union of a class with a complement");
    const std::string inner = Class(depth + 1);
    if (!error_.empty()) return {};
    if (inner.starts_with("(?:")) return Refuse("intersection inside a class");
    if (!inner.starts_with("[^")) return inner.substr(1, inner.size() - 2);
    whole_class_ = inner;
    return inner;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::string error_;
  std::string whole_class_;  ///< the latest nested complement, only usable alone
};

}  // namespace

Result<std::string> TranslatePattern(std::string_view pattern) { return Translator(pattern).Run(); }

}  // namespace ergo::tokenizer
