#include "reasoning/verify/planted_errors.h"

#include <array>
#include <random>
#include <span>
#include <string_view>
#include <utility>

#include "reasoning/verify/number.h"

namespace ergo::reasoning {
namespace {

enum class Task {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kHalf,
  kTwice,
  kTriple,
  kPercent,
  kFraction,
  kDozen,
  kAddThree,
  kMultiplyAdd,
  kSquare,
  kHours,
  kMoney,
  kMeanThree,
  kPercentMore,
  kThirds,
};

/// {a} {b} {c} are operands, {r} the result, {n} a name, {o} a thing.
struct Template {
  Task task;
  std::string_view text;
};

constexpr Template kEnglishEquations[] = {
    {Task::kAdd, "{n} has {a} + {b} = {r} {o}."},
    {Task::kAdd, "In total there are {a} {o} + {b} {o} = {r} {o}."},
    {Task::kAdd, "So {a}+{b}=<<{a}+{b}={r}>>{r} {o} are needed."},
    {Task::kAdd, "$${a} + {b} = {r}$$"},
    {Task::kSubtract, "That leaves {a} - {b} = {r} {o}."},
    {Task::kSubtract, "{n} still needs {a} – {b} = {r} more {o}."},
    {Task::kMultiply, "{n} pays {a} x {b} = ${r}."},
    {Task::kMultiply, "They bought {a} * {b} = {r} {o} in May."},
    {Task::kMultiply, "There are {a} boxes * {b} {o}/box = {r} {o}."},
    {Task::kMultiply, "We compute $ {a} \\times {b} = {r} $."},
    {Task::kMultiply, "The area is {a} × {b} = {r} square feet."},
    {Task::kDivide, "Each one gets {a} / {b} = {r} {o}."},
    {Task::kDivide, "{a} ÷ {b} = {r}, so {r} bags are filled."},
    {Task::kDivide, "That is \\frac{{a}}{{b}} = {r} {o} each."},
    {Task::kDivide, "{n} sold {a}/{b} = <<{a}/{b}={r}>>{r} {o} in June."},
    {Task::kPercent, "The discount is {a}% * {b} = ${r}."},
    {Task::kPercent, "{a}% of {b} = {r} {o}."},
    {Task::kFraction, "{n} keeps {b}/{c} * {a} = {r} {o}."},
    {Task::kFraction, "This makes $\\frac{{b}}{{c}} \\cdot {a} = {r}$ {o}."},
    {Task::kAddThree, "Altogether: {a} + {b} + {c} = {r}."},
    {Task::kMultiplyAdd, "The bill is {a} * {b} + {c} = {r} dollars."},
    {Task::kMultiplyAdd, "({a} × {b}) + {c} = {r} {o} in the end."},
    {Task::kSquare, "The square has {a}^2 = {r} tiles."},
    {Task::kHours, "{n} works {a} hours = {r} minutes."},
    {Task::kMoney, "{a} {o} at {m} cost {a} * {m} = ${r}."},
};

constexpr Template kChineseEquations[] = {
    {Task::kAdd, "{n}一共有{a} + {b} = {r}个{o}。"},
    {Task::kAdd, "{a}+{b}={r}（个）"},
    {Task::kAdd, "{a}个{o}加{b}个{o}等于{r}个{o}。"},
    {Task::kSubtract, "还剩{a} - {b} = {r}个{o}。"},
    {Task::kSubtract, "{a}减去{b}等于{r}，所以还差{r}个。"},
    {Task::kMultiply, "{n}花了{a} × {b} = {r}元。"},
    {Task::kMultiply, "{a}乘以{b}等于{r}。"},
    {Task::kMultiply, "每箱{b}个，所以是{a}×{b}={r}个{o}。"},
    {Task::kDivide, "每人分到{a} ÷ {b} = {r}个{o}。"},
    {Task::kDivide, "{a}除以{b}等于{r}。"},
    {Task::kPercent, "优惠了{b} × {a}% = {r}元。"},
    {Task::kFraction, "用去了{a} × {b}/{c} = {r}千克。"},
    {Task::kAddThree, "总共：{a} + {b} + {c} = {r}。"},
    {Task::kMultiplyAdd, "账单是{a}×{b}+{c}={r}元。"},
    {Task::kSquare, "正方形的面积是{a}^2 = {r}平方米。"},
    {Task::kHours, "{a}小时 = {r}分钟。"},
    {Task::kMoney, "{a}个{o}要{a} × {m} = {r}元。"},
};

constexpr Template kEnglishProse[] = {
    {Task::kAdd, "The sum of {a} and {b} is {r}."},
    {Task::kAdd, "Adding {a} and {b} gives {r} {o}."},
    {Task::kAdd, "{a} {o} and {b} {o} make {r} {o}."},
    {Task::kAdd, "{b} more than {a} is {r}."},
    {Task::kAdd, "If {n} adds {a} to {b}, the result is {r}."},
    {Task::kAdd, "{a} plus {b} equals {r}."},
    {Task::kSubtract, "Subtracting {b} from {a} leaves {r}."},
    {Task::kSubtract, "The difference between {a} and {b} is {r}."},
    {Task::kSubtract, "{b} less than {a} is {r}, which is what {n} has left."},
    {Task::kSubtract, "{a} {o} minus {b} {o} leaves {r} {o}."},
    {Task::kMultiply, "{a} times {b} is {r}."},
    {Task::kMultiply, "The product of {a} and {b} is {r}."},
    {Task::kMultiply, "{a} multiplied by {b} comes to {r} {o}."},
    {Task::kMultiply, "Multiplying {a} by {b} we get {r}."},
    {Task::kDivide, "{a} divided by {b} is {r}."},
    {Task::kDivide, "Dividing {a} {o} by {b} gives {r} {o} for each friend."},
    {Task::kDivide, "{a} {o} split among {b} friends is {r} {o} each."},
    {Task::kDivide, "{a} {o} shared equally among {b} children makes {r} each."},
    {Task::kHalf, "Half of {a} is {r}."},
    {Task::kHalf, "Half of the {a} {o} is {r} {o}."},
    {Task::kTwice, "Twice {a} is {r}."},
    {Task::kTwice, "{r} is twice as many as {a}."},
    {Task::kTriple, "Three times {a} makes {r}."},
    {Task::kPercent, "{a}% of {b} is {r}."},
    {Task::kPercent, "{a} percent of {b} {o} is {r} {o}."},
    {Task::kPercentMore, "{b} increased by {a}% is {r}."},
    {Task::kThirds, "Two thirds of {a} is {r}."},
    {Task::kThirds, "{n} eats two thirds of the {a} {o}, which is {r} {o}."},
    {Task::kDozen, "{a} dozen {o} is {r} {o}."},
    {Task::kAddThree, "{a}, {b} and {c} add up to {r}."},
    {Task::kMeanThree, "The average of {a}, {b} and {c} is {r}."},
    {Task::kSquare, "{a} squared is {r}."},
    {Task::kHours, "{a} hours is {r} minutes."},
    {Task::kAdd, "{n} had {a} {o} and bought {b} more, so now there are {r}."},
    {Task::kMultiply, "{a} bags with {b} {o} in each bag hold {r} {o}."},
};

constexpr Template kChineseProse[] = {
    {Task::kAdd, "{a}和{b}的和是{r}。"},
    {Task::kAdd, "{a}加上{b}得{r}。"},
    {Task::kAdd, "比{a}多{b}的数是{r}。"},
    {Task::kAdd, "{a}个{o}和{b}个{o}一共是{r}个{o}。"},
    {Task::kAdd, "{a}与{b}相加得到{r}。"},
    {Task::kSubtract, "{a}与{b}的差是{r}。"},
    {Task::kSubtract, "{a}个{o}减去{b}个还剩{r}个。"},
    {Task::kSubtract, "比{a}少{b}的数是{r}。"},
    {Task::kSubtract, "从{a}里减去{b}，剩下{r}。"},
    {Task::kMultiply, "{a}乘以{b}得{r}。"},
    {Task::kMultiply, "{a}和{b}的积是{r}。"},
    {Task::kMultiply, "{b}的{a}倍是{r}。"},
    {Task::kMultiply, "{r}是{b}的{a}倍。"},
    {Task::kDivide, "{a}除以{b}是{r}。"},
    {Task::kDivide, "把{a}个{o}平均分成{b}份，每份是{r}个。"},
    {Task::kDivide, "{a}除以{b}，商是{r}。"},
    {Task::kHalf, "{a}的一半是{r}。"},
    {Task::kHalf, "{a}个{o}的一半是{r}个。"},
    {Task::kPercent, "{b}的{a}%是{r}。"},
    {Task::kPercent, "{b}元的百分之{A}是{r}元。"},
    {Task::kThirds, "{a}的三分之二是{r}。"},
    {Task::kThirds, "{a}个{o}的三分之二就是{r}个。"},
    {Task::kFraction, "{a}的{b}/{c}是{r}。"},
    {Task::kAddThree, "{a}、{b}和{c}的和是{r}。"},
    {Task::kDozen, "{a}打{o}是{r}个。"},
    {Task::kMeanThree, "{a}、{b}、{c}的平均数是{r}。"},
    {Task::kSquare, "{a}的平方是{r}。"},
    {Task::kHours, "{a}小时是{r}分钟。"},
    {Task::kAdd, "{n}有{a}个{o}，又买了{b}个，现在有{r}个。"},
    {Task::kMultiply, "每盒装{b}个{o}，{a}盒就装了{r}个。"},
};

constexpr std::string_view kEnglishFiller[] = {
    "On 3/14/2021 {n} started at 9:30 and stopped at 12:45.",
    "Let x = {a} be the number of {o}.",
    "The ratio of {o} to boxes is 3:2.",
    "Step {a}: look at what is asked.",
    "There are {a} {o} in the first room and {b} in the second.",
    "{n} is {a} years old and lives at {b} Hill Road.",
    "If y is the price, then 2y + 3 = 11 has to hold.",
    "Version 2.4.{a} of the plan is used.",
    "The shop opens from 8-12 and has room for 4-{a} people.",
    "Is {a} more than {b}? That is not asked here.",
    "{n} read {a} of the {b} pages.",
    "The train at 7:05 is {a} minutes late.",
};

constexpr std::string_view kChineseFiller[] = {
    "2021年3月14日{n}从9:30开始，到12:45结束。",
    "设x = {a}为{o}的个数。",
    "{o}和盒子的比是3:2。",
    "第{a}步：看看题目问什么。",
    "第一间有{a}个{o}，第二间有{b}个。",
    "{n}今年{a}岁，住在{b}号。",
    "如果单价是y，那么2y + 3 = 11。",
    "{n}读了第{a}页到第{b}页。",
    "7:05的火车晚点{a}分钟。",
};

constexpr std::string_view kEnglishNames[] = {"Tom", "Maria", "Natalia", "Mr. Lee", "Ann", "Omar"};
constexpr std::string_view kChineseNames[] = {"小明", "小红", "王老师", "李华", "张伟"};
constexpr std::string_view kEnglishThings[] = {"apples", "pens",   "red balloons", "cookies",
                                               "books",  "stamps", "tickets",      "clips"};
constexpr std::string_view kChineseThings[] = {"苹果", "铅笔", "气球", "饼干", "杯子", "球"};

struct Operands {
  long a = 0;
  long b = 0;
  long c = 1;
  Rational result = 0;
  std::string price = {};  // of kMoney
};

class Writer {
 public:
  explicit Writer(std::uint64_t seed) : random_(seed) {}

  PlantedSolution Write(bool chinese, bool prose, bool error) {
    PlantedSolution solution;
    solution.chinese = chinese;
    solution.prose = prose;
    const long steps = Between(3, 6);
    const long wrong = error ? Between(0, steps - 1) : -1;
    const std::string_view gap = chinese ? "" : " ";
    for (long step = 0; step < steps; ++step) {
      if (Between(0, 2) == 0) solution.text += Filler(chinese) + std::string(gap);
      const std::size_t begin = solution.text.size();
      solution.text += Step(chinese, prose, step == wrong);
      if (step == wrong) solution.error = Span{begin, solution.text.size()};
      solution.text += Between(0, 3) == 0 ? "\n" : gap;
    }
    return solution;
  }

 private:
  long Between(long low, long high) {
    return low + static_cast<long>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  template <typename T, std::size_t N>
  const T& Choose(const T (&list)[N]) {
    return list[static_cast<std::size_t>(Between(0, static_cast<long>(N) - 1))];
  }
  const Template& ChooseTemplate(bool chinese, bool prose) {
    if (chinese) return prose ? Choose(kChineseProse) : Choose(kChineseEquations);
    return prose ? Choose(kEnglishProse) : Choose(kEnglishEquations);
  }

  std::string Filler(bool chinese) {
    Operands operands;
    operands.a = Between(2, 40);
    operands.b = Between(2, 90);
    return Fill(chinese ? Choose(kChineseFiller) : Choose(kEnglishFiller), operands, "", chinese);
  }

  std::string Step(bool chinese, bool prose, bool wrong) {
    const Template& form = ChooseTemplate(chinese, prose);
    const Operands operands = Make(form.task);
    const Rational shown = wrong ? Wrong(operands) : operands.result;
    const bool cents = form.task == Task::kMoney;
    std::string result = cents ? Cents(shown) : Text(shown);
    if (!cents && shown >= 1000 && IsInteger(shown) && Between(0, 1) == 0) result = Grouped(result);
    return Fill(form.text, operands, result, chinese);
  }

  Operands Make(Task task);

  // Off by little, by a carry, by a digit, by a wrong operation.
  Rational Wrong(const Operands& operands) {
    static constexpr long kOffsets[] = {1, -1, 2, -2, 10, -10, 9, 100};
    Rational wrong = operands.result + Choose(kOffsets);
    const long kind = Between(0, 5);
    if (kind == 0) wrong = Rational(operands.a) + operands.b;
    if (kind == 1) wrong = operands.result * 10;
    if (kind == 2) wrong = Rational(operands.a) - operands.b;
    if (wrong <= 0 || wrong == operands.result || !IsInteger((wrong - operands.result) * 100)) {
      wrong = operands.result + 3;
    }
    return wrong;
  }

  static std::string Cents(const Rational& value) {
    std::string text = *DecimalText(RoundTo(value, 2), 2);
    const std::size_t point = text.find('.');
    if (point == text.npos)
      text += ".00";
    else if (text.size() - point == 2)
      text += '0';
    return text;
  }
  static std::string Grouped(std::string text) {
    for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
    return text;
  }
  static std::string ChineseCardinal(long value) {
    static constexpr std::string_view kDigits[] = {"",   "一", "二", "三", "四",
                                                   "五", "六", "七", "八", "九"};
    const auto tens = static_cast<std::size_t>(value / 10);
    return (tens > 1 ? std::string(kDigits[tens]) : "") + (tens > 0 ? "十" : "") +
           std::string(kDigits[static_cast<std::size_t>(value % 10)]);
  }

  std::string Fill(std::string_view form, const Operands& operands, const std::string& result,
                   bool chinese) {
    const std::string_view name = chinese ? Choose(kChineseNames) : Choose(kEnglishNames);
    const std::string_view thing = chinese ? Choose(kChineseThings) : Choose(kEnglishThings);
    std::string text;
    for (std::size_t i = 0; i < form.size(); ++i) {
      if (form[i] != '{' || i + 2 >= form.size() || form[i + 2] != '}') {
        text += form[i];
        continue;
      }
      switch (form[i + 1]) {
        case 'a':
          text += std::to_string(operands.a);
          break;
        case 'b':
          text += std::to_string(operands.b);
          break;
        case 'c':
          text += std::to_string(operands.c);
          break;
        case 'A':
          text += ChineseCardinal(operands.a);
          break;
        case 'm':
          text += (chinese ? "" : "$") + operands.price;
          break;
        case 'r':
          text += result;
          break;
        case 'n':
          text += name;
          break;
        default:
          text += thing;
          break;
      }
      i += 2;
    }
    return text;
  }

  std::mt19937_64 random_;
};

Operands Writer::Make(Task task) {
  Operands o;
  o.a = Between(3, 99);
  o.b = Between(2, 60);
  o.c = Between(2, 40);
  switch (task) {
    case Task::kAdd:
      o.a = Between(12, 900);
      o.result = o.a + o.b;
      break;
    case Task::kSubtract:
      o.a = o.b + Between(3, 700);
      o.result = o.a - o.b;
      break;
    case Task::kMultiply:
      o.result = o.a * o.b;
      break;
    case Task::kDivide:
      o.b = Between(2, 20);
      o.result = Between(2, 90);
      o.a = o.b * o.result.get_num().get_si();
      break;
    case Task::kHalf:
      o.a = 2 * Between(3, 90);
      o.result = o.a / 2;
      break;
    case Task::kTwice:
      o.result = 2 * o.a;
      break;
    case Task::kTriple:
      o.result = 3 * o.a;
      break;
    case Task::kPercent:
      o.a = 5 * Between(1, 19);
      o.b = 20 * Between(1, 40);
      o.result = Rational(o.a * o.b / 100);
      break;
    case Task::kPercentMore:
      o.a = 5 * Between(1, 10);
      o.b = 20 * Between(1, 40);
      o.result = Rational(o.b + o.a * o.b / 100);
      break;
    case Task::kFraction:
      o.c = Between(3, 9);
      o.b = Between(2, o.c - 1);
      o.a = o.c * Between(2, 30);
      o.result = o.a / o.c * o.b;
      break;
    case Task::kThirds:
      o.a = 3 * Between(2, 60);
      o.result = o.a / 3 * 2;
      break;
    case Task::kDozen:
      o.a = Between(2, 12);
      o.result = o.a * 12;
      break;
    case Task::kAddThree:
      o.result = o.a + o.b + o.c;
      break;
    case Task::kMeanThree:
      o.c = 3 * Between(20, 60) - (o.a + o.b) % 3;
      o.result = (o.a + o.b + o.c) / 3;
      break;
    case Task::kMultiplyAdd:
      o.result = o.a * o.b + o.c;
      break;
    case Task::kSquare:
      o.a = Between(3, 30);
      o.result = o.a * o.a;
      break;
    case Task::kHours:
      o.a = Between(2, 12);
      o.result = o.a * 60;
      break;
    case Task::kMoney: {
      const long cents = 5 * Between(5, 190);
      o.price = Cents(Rational(cents) / 100);
      o.result = Rational(o.a * cents) / 100;
      break;
    }
  }
  return o;
}

}  // namespace

std::vector<PlantedSolution> MakePlantedSolutions(std::size_t count, std::uint64_t seed) {
  Writer writer(seed);
  std::vector<PlantedSolution> solutions;
  for (std::size_t i = 0; i < count; ++i) {
    solutions.push_back(writer.Write(i % 2 == 1, i / 2 % 2 == 1, i / 4 % 2 == 1));
  }
  return solutions;
}

}  // namespace ergo::reasoning
