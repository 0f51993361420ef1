#include "reasoning/verify/units.h"

#include <string>
#include <unordered_map>

namespace ergo::reasoning {
namespace {

struct Row {
  Dimension dimension;
  Rational scale;
  std::string_view names;  // apart by spaces
};

std::unordered_map<std::string, Unit> MakeTable() {
  using enum Dimension;
  // The inch is 25.4 mm, the pound 453.59237 g, the US gallon 231 cubic inches, all by definition.
  const Rational inch(127, 5000);
  const Rational pound(45359237, 100000);
  const Rational gallon = Rational(231) * Rational(127, 50) * Rational(127, 50) * Rational(127, 50);
  const Row rows[] = {
      {kTime, 1, "s sec secs second seconds 秒 秒钟"},
      {kTime, 60, "min mins minute minutes 分钟"},
      {kTime, 3600, "h hr hrs hour hours 小时 个小时 钟头"},
      {kTime, 86400, "day days 天 日"},
      {kTime, 604800, "week weeks 周 星期 个星期"},
      {kLength, Rational(1, 1000), "mm millimeter millimeters millimetre millimetres 毫米"},
      {kLength, Rational(1, 100), "cm centimeter centimeters centimetre centimetres 厘米"},
      {kLength, Rational(1, 10), "decimeter decimeters dm 分米"},
      {kLength, 1, "m meter meters metre metres 米"},
      {kLength, 1000, "km kilometer kilometers kilometre kilometres 千米 公里"},
      {kLength, inch, "inch inches"},
      {kLength, inch * 12, "ft foot feet"},
      {kLength, inch * 36, "yard yards yd"},
      {kLength, inch * 63360, "mile miles"},
      {kMass, Rational(1, 1000), "mg milligram milligrams 毫克"},
      {kMass, 1, "g gram grams 克"},
      {kMass, 500, "斤"},
      {kMass, 1000, "kg kgs kilogram kilograms kilo kilos 千克 公斤"},
      {kMass, 1000000, "tonne tonnes 吨"},
      {kMass, pound / 16, "oz ounce ounces"},
      {kMass, pound, "lb lbs pound pounds"},
      {kVolume, 1, "ml milliliter milliliters millilitre millilitres 毫升"},
      {kVolume, 1000, "l liter liters litre litres 升"},
      {kVolume, gallon, "gallon gallons"},
      {kVolume, gallon / 4, "quart quarts"},
      {kVolume, gallon / 8, "pint pints"},
      {kVolume, gallon / 16, "cup cups"},
      {kVolume, gallon / 256, "tablespoon tablespoons tbsp"},
      {kVolume, gallon / 768, "teaspoon teaspoons tsp"},
      {kMoney, 1, "dollar dollars usd euro euros yuan 元 块 块钱 美元 元钱"},
      {kMoney, Rational(1, 10), "dime dimes 角 毛"},
      {kMoney, Rational(1, 4), "quarter quarters"},
      {kMoney, Rational(1, 20), "nickel nickels"},
      {kMoney, Rational(1, 100), "cent cents penny pennies ¢"},
  };
  std::unordered_map<std::string, Unit> table;
  for (const Row& row : rows) {
    Unit unit;
    unit.power[static_cast<std::size_t>(row.dimension)] = 1;
    unit.scale = row.scale;
    unit.scale.canonicalize();
    std::string_view rest = row.names;
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      table.emplace(std::string(rest.substr(0, space)), unit);
      rest = space == std::string_view::npos ? "" : rest.substr(space + 1);
    }
  }
  return table;
}

}  // namespace

const Unit* FindUnit(std::string_view name) {
  static const auto table = MakeTable();
  const auto found = table.find(std::string(name));
  return found == table.end() ? nullptr : &found->second;
}

}  // namespace ergo::reasoning
