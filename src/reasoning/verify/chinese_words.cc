#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/utf8.h"
#include "reasoning/verify/phrase_words.h"
#include "reasoning/verify/units.h"

namespace ergo::reasoning {
namespace {

struct Row {
  TokenKind kind;
  std::string_view words;  // apart by spaces
};

// Words that only keep others from being seen inside them stand in the rows of kWord and kBreak.
constexpr Row kLexicon[] = {
    {TokenKind::kPlus, "加上 加"},
    {TokenKind::kMinus, "减去 减掉 减 去掉"},
    {TokenKind::kTimes, "乘以 乘上 乘"},
    {TokenKind::kOver, "除以"},
    {TokenKind::kEquals, "等于 等於 即等于"},
    {TokenKind::kApprox, "约等于 约为"},
    {TokenKind::kIs,
     "是 就是 为 得 得到 得出 即 也就是 即为 结果是 结果为 答案是 等同于 变成 剩下 还剩 还剩下 剩 "
     "结果等于 相当于 占 可得 便是 那么是"},
    {TokenKind::kAddUp, "一共 总共 合计 共计 共 总计 一共是 总共是 共是 合计是 一共有 总共有 共有"},
    {TokenKind::kAbout, "约 大约 大概 差不多 接近 将近"},
    {TokenKind::kDe, "的"},
    {TokenKind::kAnd, "和 与 跟 以及"},
    {TokenKind::kSumWord, "总和 相加 加起来 合起来 加在一起 之和"},
    {TokenKind::kDifferenceWord, "差 相差 之差 相减"},
    {TokenKind::kProductWord, "积 乘积 之积 相乘"},
    {TokenKind::kQuotientWord, "商 之商 相除"},
    {TokenKind::kAverageOf, "平均数 平均值"},
    {TokenKind::kThan, "比"},
    {TokenKind::kMore, "多 大 多出"},
    {TokenKind::kLess, "少 小"},
    {TokenKind::kFold, "倍"},
    {TokenKind::kHalfOf, "一半"},
    {TokenKind::kSquared, "平方"},
    {TokenKind::kCubed, "立方"},
    {TokenKind::kShareInto, "平均分成 平均分给 平分给 平分成 平均分到"},
    {TokenKind::kEach,
     "每份是 每份有 每份 每人得到 每人得 每人分到 每人分得 每人 每组有 每组 每个人得 每个"},
    {TokenKind::kIncreasedBy, "增加了 增加 提高了 提高 增长了 增长 上涨了 上涨"},
    {TokenKind::kDecreasedBy, "减少了 减少 降低了 降低 下降了 下降"},
    {TokenKind::kDozen, "打"},
    {TokenKind::kDoubt, "错 错误 不等于 不是 不对 并非 不能 不会"},
    {TokenKind::kBreak,
     "所以 因此 因为 于是 那么 如果 然后 而且 但是 可是 因而 从而 由于 再 又 则 其中"},
    {TokenKind::kWord,
     "多少 许多 很多 多个 大家 小明 小红 小华 小时 小朋友 小组 个小时 大人 小孩 小学 比如 比较 "
     "比赛 "
     "比例 获得 觉得 值得 取得 赢得 认为 为了 称为 作为 以为 成为 还是 总是 共同 公共 一起 一样 "
     "一些 一般 "
     "一定 一直 千万 一次 星期 个星期 加工 参加 更加 差别 商店 商品 面积 体积 积极 和平 元钱 块钱 "
     "分钟 秒钟 千米 千克 公里 公斤 毫米 厘米 分米 毫升 毫克 占地 打算 打开 打印 打车 半径 一般 "
     "多余 "
     "大小 大于 小于 共同 平均 平均每 即使 立即 剩余 得分 为什么 因为 平方米 平方厘米 立方米 "
     "立方厘米 打折 每天 每小时 大象 大米 小麦 小狗 小猫 小鸡 小车 大车 大巴 小鸟 小刚 小李 小王 "
     "小张 小丽"},
};

const std::unordered_map<std::string, TokenKind>& Lexicon() {
  static const auto table = [] {
    std::unordered_map<std::string, TokenKind> words;
    for (const Row& row : kLexicon) {
      std::string_view rest = row.words;
      while (!rest.empty()) {
        const std::size_t space = rest.find(' ');
        words.emplace(std::string(rest.substr(0, space)), row.kind);
        rest = space == std::string_view::npos ? "" : rest.substr(space + 1);
      }
    }
    return words;
  }();
  return table;
}

int DigitOf(std::uint32_t c) {
  switch (c) {
    case U'零':
    case U'〇':
      return 0;
    case U'一':
      return 1;
    case U'二':
    case U'两':
      return 2;
    case U'三':
      return 3;
    case U'四':
      return 4;
    case U'五':
      return 5;
    case U'六':
      return 6;
    case U'七':
      return 7;
    case U'八':
      return 8;
    case U'九':
      return 9;
    default:
      return -1;
  }
}

long ScaleOf(std::uint32_t c) {
  switch (c) {
    case U'十':
      return 10;
    case U'百':
      return 100;
    case U'千':
      return 1000;
    case U'万':
      return 10000;
    case U'亿':
      return 100000000;
    default:
      return 0;
  }
}

/// Reads characters of one numeral; a caller feeds it until it refuses.
class NumeralReader {
 public:
  bool Take(std::uint32_t c) {
    const int digit = DigitOf(c);
    if (digit >= 0) return TakeDigit(digit);
    if (c == U'点') {
      if (point_ || (!any_ && !has_digit_)) return false;
      point_ = true;
      return true;
    }
    const long scale = ScaleOf(c);
    if (scale == 0 || positional_) return false;
    return scale < 10000 ? TakeSmall(scale) : TakeLarge(scale);
  }
  bool complete() const { return (any_ || has_digit_) && (!point_ || decimals_ > 0); }
  Rational Value() const {
    Rational value = Rational(total_) + section_ + digit_;
    if (point_) value += fraction_;
    return value * times_;
  }

 private:
  bool TakeDigit(int digit) {
    if (point_) {
      if (decimals_ >= 30 || large_) return false;
      fraction_ += Rational(digit) * PowerOfTen(-++decimals_);
      return true;
    }
    if (has_digit_) {
      // "二〇二四", digit by digit; a zero may also stand between parts: "一百零五".
      if (any_ && digit_ != 0) return false;
      if (!any_) positional_ = true;
      if (++length_ > 15) return false;
      digit_ = digit_ * 10 + digit;
      return true;
    }
    has_digit_ = true;
    length_ = 1;
    digit_ = digit;
    return true;
  }
  bool TakeSmall(long scale) {
    if (point_ || scale >= last_small_) return false;
    if (!has_digit_ && scale != 10) return false;
    section_ += (has_digit_ ? digit_ : 1) * scale;
    last_small_ = scale;
    any_ = true;
    has_digit_ = false;
    digit_ = 0;
    return true;
  }
  bool TakeLarge(long scale) {
    if (point_) {
      if (large_ || decimals_ == 0) return false;
      times_ = scale;  // "一点五万"
      large_ = true;
      return true;
    }
    if (!any_ && !has_digit_) return false;
    if (scale == last_large_ ||
        (scale == 100000000 && last_large_ == 10000 && total_ >= 100000000)) {
      return false;
    }
    if (scale > last_large_)
      total_ = (total_ + section_ + digit_) * scale;
    else
      total_ += (section_ + digit_) * scale;
    if (total_ > 1000000000000000) return false;
    last_large_ = scale;
    last_small_ = 10000;
    section_ = 0;
    digit_ = 0;
    has_digit_ = false;
    any_ = true;
    return true;
  }

  long total_ = 0;
  long section_ = 0;
  long digit_ = 0;
  long last_small_ = 10000;
  long last_large_ = 1000000000;
  int length_ = 0;
  int decimals_ = 0;
  bool any_ = false;
  bool has_digit_ = false;
  bool positional_ = false;
  bool point_ = false;
  bool large_ = false;
  Rational fraction_ = 0;
  Rational times_ = 1;
};

}  // namespace

std::optional<ChineseWord> LongestChineseWord(std::string_view text) {
  std::optional<ChineseWord> best;
  std::size_t bytes = 0;
  for (int characters = 0; characters < 5 && bytes < text.size(); ++characters) {
    bytes += DecodeUtf8(text.substr(bytes)).bytes;
    const std::string word(text.substr(0, bytes));
    const auto found = Lexicon().find(word);
    if (found != Lexicon().end()) {
      best = ChineseWord{found->second, bytes};
    } else if (characters > 0 && FindUnit(word) != nullptr) {
      best = ChineseWord{TokenKind::kWord, bytes};
    }
  }
  return best;
}

std::optional<ChineseNumber> ChineseNumberAt(std::string_view text) {
  NumeralReader reader;
  std::optional<ChineseNumber> best;
  std::size_t bytes = 0;
  while (bytes < text.size() && bytes < 200) {
    const Utf8Char c = DecodeUtf8(text.substr(bytes));
    if (!reader.Take(c.code_point)) break;
    bytes += c.bytes;
    if (reader.complete()) best = ChineseNumber{reader.Value(), bytes};
  }
  return best;
}

std::optional<Rational> ChineseNumeral(std::string_view text) {
  const auto number = ChineseNumberAt(text);
  if (!number || number->bytes != text.size()) return std::nullopt;
  return number->value;
}

}  // namespace ergo::reasoning
