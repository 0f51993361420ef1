// What `format` stands for, as regular expressions of whole texts. They take what the formats'
// documents allow (RFC 3339, 5321, 1123, 2673, 4291, 4122, 3986, 6901), but no leap seconds, no
// quoted local parts and no more than nine digits of a second.
#include <array>
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
    R"re(([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))re";
constexpr std::string_view kDateTime =
    R"re((\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[)re"
    R"re(1-9]|1\d|2[0-8]))|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00))re"
    R"re(-02-29)[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5)re"
    R"re(]\d))re";
constexpr std::string_view kDuration =
    R"re(P(\d+W|T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)|(\d+Y(\d+M(\d+D)?)?|\d+M(\d+D)?|\d+D)()re"
    R"re(T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S))?))re";
constexpr std::string_view kEmail =
    R"re([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9]([A-Z)re"
    R"re(a-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)re";
constexpr std::string_view kHostname =
    R"re([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0)re"
    R"re(-9])?)*)re";
constexpr std::string_view kIpv4 =
    R"re(((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d))re";
constexpr std::string_view kIpv6 =
    R"re(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|([0-9A-Fa-f]{1,4}:))re"
    R"re({1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|([0-9A-Fa-f])re"
    R"re({1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4)re"
    R"re(}|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|([0-9A-Fa-f]{1,4}:){1,1}(:[0-9A-F)re"
    R"re(a-f]{1,4}){1,6}|:((:[0-9A-Fa-f]{1,4}){1,7}|:)|([0-9A-Fa-f]{1,4}:){6}((25[0-5]|2[0-4])re"
    R"re(\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)|::([0-9A-Fa-f]{1,4}:){0,5})re"
    R"re(((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)|([0-9A-Fa-)re"
    R"re(f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){0,0}:((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0)re"
    R"re(-5]|2[0-4]\d|1\d\d|[1-9]?\d)|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){0,1}:((25[0)re"
    R"re(-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)|([0-9A-Fa-f]{1,4)re"
    R"re(}:){1,3}(:[0-9A-Fa-f]{1,4}){0,2}:((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[)re"
    R"re(0-4]\d|1\d\d|[1-9]?\d)|([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){0,3}:((25[0-5]|2[)re"
    R"re(0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)|([0-9A-Fa-f]{1,4}:){1,)re"
    R"re(1}(:[0-9A-Fa-f]{1,4}){0,4}:((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d)re"
    R"re(|1\d\d|[1-9]?\d))re";
constexpr std::string_view kUuid =
    R"re([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})re";
constexpr std::string_view kUri =
    R"re([A-Za-z][A-Za-z0-9+.-]*:(//([A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*(@([A-Za-z0)re"
    R"re(-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?(:\d{0,5})?(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0)re"
    R"re(-9A-Fa-f]{2})*)*|/?(([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+(/([A-Za-z0-9._~!)re"
    R"re($&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*)?)(\?(([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{)re"
    R"re(2})|[/?])*)?(#(([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})|[/?])*)?)re";
constexpr std::string_view kJsonPointer =
    R"re((/([^~/]|~[01])*)*)re";
// clang-format on

}  // namespace

std::optional<std::string_view> FormatPattern(std::string_view format) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kFormats = {{
      {"date", kDate},
      {"time", kTime},
      {"date-time", kDateTime},
      {"duration", kDuration},
      {"email", kEmail},
      {"hostname", kHostname},
      {"ipv4", kIpv4},
      {"ipv6", kIpv6},
      {"uuid", kUuid},
      {"uri", kUri},
      {"json-pointer", kJsonPointer},
  }};
  for (const auto& [name, pattern] : kFormats) {
    if (name == format) return pattern;
  }
  return std::nullopt;
}

}  // namespace ergo::generate::constrain
