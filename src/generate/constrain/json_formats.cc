// What `format` stands for, as regular expressions of whole texts. They take what the formats'
// documents allow (RFC 3339, 5321, 1123, 2673, 4291, 4122, 3986, 6901), but leap seconds in
// UTC only, no more than nine digits of a second, and of addresses in brackets IPv4 and IPv6 alone.
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "generate/constrain/json_text.h"

namespace ergo::generate::constrain {
namespace {

// clang-format off
constexpr std::string_view kDate =
    R"re((\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[)re"
    R"re(1-9]|1\d|2[0-8]))|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00))re"
    R"re(-02-29))re";
constexpr std::string_view kTime =
    R"re((([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)|)re"
    R"re(23:59:60(\.\d{1,9})?([Zz]|[+-]00:00)))re";
constexpr std::string_view kDuration =
    R"re(P(\d+W|T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)|(\d+Y(\d+M(\d+D)?)?|\d+M(\d+D)?|\d+D)()re"
    R"re(T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S))?))re";
constexpr std::string_view kLocalPart =
    R"re(([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*|)re"
    R"re("([ !#-\[\]-~]|\\[ -~])*"))re";
constexpr std::string_view kHostname =
    R"re([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0)re"
    R"re(-9])?)*)re";
constexpr std::string_view kIpv4 =
    R"re(((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))re";
constexpr std::string_view kUuid =
    R"re([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})re";
constexpr std::string_view kJsonPointer =
    R"re((/([^~/]|~[01])*)*)re";
// clang-format on

/// Eight groups, of which :: stands for some; an IPv4 address may stand for the last two.
std::string Ipv6() {
  constexpr std::string_view kGroup = "[0-9A-Fa-f]{1,4}";
  std::string address = fmt::format(
      "({0}:){{7}}{0}|({0}:){{1,7}}:|:((:{0}){{1,7}}|:)|({0}:){{6}}{1}|::({0}:){{0,5}}{1}", kGroup,
      kIpv4);
  for (int left = 1; left <= 6; ++left) {
    address += fmt::format("|({0}:){{1,{1}}}(:{0}){{1,{2}}}", kGroup, left, 7 - left);
    if (left == 6) break;
    address += fmt::format("|({0}:){{1,{1}}}(:{0}){{0,{2}}}:{3}", kGroup, left, 5 - left, kIpv4);
  }
  return address;
}

std::string Email() {
  return fmt::format(R"re({}@({}|\[({}|IPv6:({}))\]))re", kLocalPart, kHostname, kIpv4, Ipv6());
}

std::string Uri() {
  constexpr std::string_view kPlain = "A-Za-z0-9._~!$&'()*+,;=-";
  constexpr std::string_view kCoded = "%[0-9A-Fa-f]{2}";
  const std::string path = fmt::format("([:@{}]|{})", kPlain, kCoded);
  const std::string authority = fmt::format(
      R"re((([:{0}]|{1})*@)?(\[({2})\]|([{0}]|{1})*)(:\d*)?)re", kPlain, kCoded, Ipv6());
  const std::string hierarchy = fmt::format("(//{0}(/{1}*)*|/?({1}+(/{1}*)*)?)", authority, path);
  return fmt::format(R"re([A-Za-z][A-Za-z0-9+.-]*:{0}(\?({1}|[/?])*)?(#({1}|[/?])*)?)re", hierarchy,
                     path);
}

}  // namespace

std::optional<std::string_view> FormatPattern(std::string_view format) {
  static const std::array<std::pair<std::string_view, std::string>, 11> kFormats = {{
      {"date", std::string(kDate)},
      {"time", std::string(kTime)},
      {"date-time", fmt::format("({})[Tt]{}", kDate, kTime)},
      {"duration", std::string(kDuration)},
      {"email", Email()},
      {"hostname", std::string(kHostname)},
      {"ipv4", std::string(kIpv4)},
      {"ipv6", Ipv6()},
      {"uuid", std::string(kUuid)},
      {"uri", Uri()},
      {"json-pointer", std::string(kJsonPointer)},
  }};
  for (const auto& [name, pattern] : kFormats) {
    if (name == format) return std::string_view(pattern);
  }
  return std::nullopt;
}

}  // namespace ergo::generate::constrain
