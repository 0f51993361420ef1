#include "tokenizer/template/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ergo::tokenizer {
namespace {

using ::testing::HasSubstr;

// strftime_now() shows local time, and the expected texts were made in UTC.
class UtcTime : public ::testing::Environment {
 public:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
  }
};
const auto* const kUtcTime = ::testing::AddGlobalTestEnvironment(new UtcTime);

OrderedJson ReadGolden() {
  std::ifstream file(ERGO_SOURCE_DIR "/tests/golden/templates/cases.json");
  std::stringstream text;
  text << file.rdbuf();
  auto json = ParseOrderedJson(text.str(), "cases.json");
  EXPECT_TRUE(json) << json.error().Message();
  return json ? *json : OrderedJson();
}

Result<std::string> Render(std::string_view source, const OrderedJson& variables = {{"n", 7}},
                           const TemplateLimits& limits = {}) {
  auto parsed = ChatTemplate::Parse(source, "t", limits);
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  return parsed->Render(variables);
}

std::string ErrorOf(std::string_view source, const TemplateLimits& limits = {}) {
  const auto text = Render(source, {{"n", 7}}, limits);
  return text ? "rendered: " + text->substr(0, 200) : text.error().Message();
}

TEST(ChatTemplate, RendersAsJinjaDoes) {
  const OrderedJson golden = ReadGolden();
  ASSERT_GT(golden["cases"].size(), 500u);
  TemplateLimits limits;
  limits.fixed_time = golden["time"].get<std::int64_t>();
  for (const OrderedJson& item : golden["cases"]) {
    SCOPED_TRACE(item["name"].get<std::string>());
    const auto source = item["template"].get<std::string>();
    const auto text = Render(source, golden["variables"], limits);
    if (item.contains("error")) {
      EXPECT_FALSE(text) << source << " should fail: " << item["error"] << ", but gives " << *text;
    } else if (!text) {
      ADD_FAILURE() << source << ": " << text.error().Message();
    } else {
      EXPECT_EQ(*text, item["text"].get<std::string>()) << source;
    }
  }
}

TEST(ChatTemplate, ErrorsNameTheLine) {
  EXPECT_EQ(ErrorOf("a\n{{ n }}\n{{ n.x.y }}\n"), "t, line 3: 'int' object has no attribute 'x'");
  EXPECT_EQ(ErrorOf("\n{% if n %}\n{{ 1 + }}{% endif %}"), "t, line 3: unexpected '}}'");
  EXPECT_EQ(ErrorOf("{{ raise_exception('no tools') }}"), "t, line 1: no tools");
  EXPECT_EQ(ErrorOf("{#\n#}\n{{ 'a\n"), "t, line 3: string is not closed");
  EXPECT_THAT(ErrorOf("\n{% for x in [1] %}\n"), HasSubstr("line 2: unexpected end"));
  EXPECT_THAT(ErrorOf("{% macro f() %}\n\n{{ 1 / 0 }}{% endmacro %}\n\n{{ f() }}"),
              HasSubstr("line 3: division by zero"));
}

TEST(ChatTemplate, RefusesBadInput) {
  EXPECT_THAT(ErrorOf("a\xff"), HasSubstr("not valid UTF-8 at byte 1"));
  TemplateLimits small;
  small.max_template_bytes = 10;
  EXPECT_THAT(ErrorOf("12345678901", small), HasSubstr("more than 10"));
  const auto parsed = ChatTemplate::Parse("x", "t");
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->Render(OrderedJson::array()));
}

TEST(ChatTemplate, LargeNumbersOfJsonStayExact) {
  const auto text =
      Render("{{ v|tojson }} {{ v.a + 1 }}",
             {{"v", {{"a", 18446744073709551615u}, {"b", -9223372036854775807LL - 1}}}});
  ASSERT_TRUE(text);
  EXPECT_EQ(*text,
            R"({"a": 18446744073709551615, "b": -9223372036854775808} 18446744073709551616)");
}

TEST(ChatTemplate, BadUtf8InVariablesIsReplaced) {
  const auto text = Render("{{ v }}{{ v|length }}", {{"v",
                                                      "a\xff"
                                                      "b"}});
  ASSERT_TRUE(text);
  EXPECT_EQ(*text,
            "a\xEF\xBF\xBD"
            "b3");
}

// --- The sandbox: nothing a template does may hang, crash or use up the memory ---

struct Bomb {
  const char* source;
  const char* error;
};

class Sandbox : public ::testing::TestWithParam<Bomb> {};

TEST_P(Sandbox, Stops) {
  const std::clock_t start = std::clock();
  EXPECT_THAT(ErrorOf(GetParam().source), HasSubstr(GetParam().error)) << GetParam().source;
  // Seconds of the processor: far above what any of these takes, even with sanitizers.
  EXPECT_LT((std::clock() - start) / CLOCKS_PER_SEC, 30);
}

constexpr const char* kSteps = "more than 1000000 steps";
constexpr const char* kText = "grows over 16777216 bytes";
constexpr const char* kMemory = "values take more than";
constexpr const char* kDeep = "deep";

INSTANTIATE_TEST_SUITE_P(
    Bombs, Sandbox,
    ::testing::Values(
        Bomb{"{{ 'a' * 10**9 }}", kText}, Bomb{"{{ 10**18 * 'ab' }}", kText},
        Bomb{"{{ [0] * 10**9 }}", kMemory}, Bomb{"{{ [[0] * 1000] * 10**9 }}", kMemory},
        Bomb{"{{ 10**10000 }}", "too large"}, Bomb{"{{ 9**9**9 }}", "too large"},
        Bomb{"{{ 2 ** (10 ** 18) }}", "too large"}, Bomb{"{{ 10.0 ** 1000 }}", "out of range"},
        Bomb{"{{ range(10**9) }}", "too big"},
        Bomb{"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
             kSteps},
        Bomb{"{% for a in range(99999) %}{{ a * a + a }}{{ a }}{{ a }}{{ a }}{{ a }}{{ a }}"
             "{{ a }}{{ a }}{{ a }}{{ a }}{% endfor %}",
             kSteps},
        Bomb{"{{ range(99999)|map('string')|map('upper')|map('lower')|map('title')|map('trim')"
             "|map('upper')|map('lower')|map('upper')|map('lower')|map('upper')|map('lower')"
             "|map('upper')|map('lower')|map('upper')|map('lower')|map('upper')|map('lower')"
             "|map('upper')|map('lower')|map('upper')|map('lower')|map('upper')|map('lower')"
             "|map('upper')|map('lower')|list|length }}",
             kSteps},
        Bomb{"{{ '%1000000000d' % 1 }}", kText}, Bomb{"{{ '%*d' % (10**15, 1) }}", kText},
        Bomb{"{{ '%-*d' % (-9223372036854775807, 1) }}", kText},
        Bomb{"{{ '{:1000000000}'.format(1) }}", kText},
        Bomb{"{{ '{:{}}'.format('a', 10**12) }}", kText}, Bomb{"{{ 'x'.center(10**12) }}", kText},
        Bomb{"{{ 'x'.zfill(10**12) }}", kText}, Bomb{"{{ 'x'|center(10**9) }}", kText},
        Bomb{"{{ '\\t'.expandtabs(10**12) }}", kText}, Bomb{"{{ 'a\\nb'|indent(10**12) }}", kText},
        Bomb{"{{ [1]|tojson(indent=10**12) }}", kText},
        Bomb{"{{ [1]|batch(10**12, 0)|list }}", kMemory},
        Bomb{"{{ [1]|slice(10**12)|list }}", kMemory},
        Bomb{"{{ ('a' * 10**6).replace('a', 'b' * 10**6) }}", kText},
        Bomb{"{{ ('a' * 10**6)|replace('', 'b' * 10**6) }}", kText},
        Bomb{"{{ ('b' * 10**6).join('a' * 1000) }}", kText},
        Bomb{"{% set ns = namespace(s='x') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}"
             "{% endfor %}",
             kText},
        Bomb{"{% set ns = namespace(s='x') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}"
             "{% endfor %}",
             kText},
        Bomb{"{% set ns = namespace(l=[0]) %}{% for i in range(64) %}{% set ns.l = ns.l + ns.l %}"
             "{% endfor %}",
             kMemory},
        // Shared lists: small in memory, immense when walked.
        Bomb{"{% set ns = namespace(l=[0]) %}{% for i in range(64) %}{% set ns.l = [ns.l, ns.l] %}"
             "{% endfor %}{{ ns.l }}",
             kText},
        Bomb{"{% set ns = namespace(l=[0]) %}{% for i in range(64) %}{% set ns.l = [ns.l, ns.l] %}"
             "{% endfor %}{{ ns.l|tojson }}",
             kText},
        Bomb{"{% set ns = namespace(l=[0], m=[0]) %}{% for i in range(64) %}"
             "{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}"
             "{{ ns.l == ns.m }}",
             kSteps},
        Bomb{"{% set ns = namespace(l=(0,)) %}{% for i in range(64) %}{% set ns.l = (ns.l, ns.l) %}"
             "{% endfor %}{{ {ns.l: 1} }}",
             kSteps},
        Bomb{"{% set ns = namespace(l=[0]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}"
             "{% endfor %}",
             kDeep},
        Bomb{"{% set ns = namespace(l=[0]) %}{% for i in range(9999) %}"
             "{% set ns.l = [ns.l]|map('first') %}{% endfor %}",
             "rendered"},
        Bomb{"{% set ns = namespace(l=0) %}{% for i in range(9999) %}"
             "{% set ns.l = [ns.l]|reverse %}{% endfor %}",
             kDeep},
        Bomb{"{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}", kDeep},
        Bomb{"{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns.a|string }}", kDeep},
        Bomb{"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", kDeep},
        Bomb{"{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}", kDeep},
        Bomb{"{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{{ caller is defined }}"
             "{% endmacro %}{{ f() }}",
             kDeep},
        Bomb{"{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", kDeep},
        Bomb{"{% set s = 'a' * 10**6 %}{% for i in range(99999) %}{{ 'ab' in s }}{% endfor %}",
             kSteps},
        Bomb{"{% set s = 'a' * 10**6 %}{% set t = 'a' * 10**5 + 'b' %}"
             "{% for i in range(99999) %}{{ s.rfind(t) }}{% endfor %}",
             kSteps},
        Bomb{"{% set s = 'a' * 10**6 %}{% for i in range(99999) %}{% set t = s.upper() %}"
             "{% endfor %}",
             kSteps},
        Bomb{"{% set l = range(99999)|list %}{% for i in range(99999) %}{{ -1 in l }}{% endfor %}",
             kSteps},
        Bomb{"{% set l = range(99999)|list %}{% for i in range(99999) %}{{ l[1:]|first }}"
             "{% endfor %}",
             kSteps},
        Bomb{"{{ strftime_now('%999999999d') }}", "too long"},
        Bomb{"{{ strftime_now('%A' * 100000) }}", "too long"}));

// Chains of objects that hold each other are freed one by one, not by recursion.
TEST(ChatTemplate, LongChainsOfObjectsAreFreed) {
  for (const char* source :
       {"{% set ns = namespace(p=none) %}{% for i in range(50000) %}"
        "{% set ns.p = namespace(q=ns.p) %}{% endfor %}",
        "{% set ns = namespace(p=none) %}{% for i in range(50000) %}{% for x in [ns.p] %}"
        "{% set ns.p = loop %}{% endfor %}{% endfor %}",
        "{% set ns = namespace() %}{% for x in [1] %}{{ loop.changed(loop) }}"
        "{% set ns.l = loop.cycle %}{% endfor %}",
        "{% set ns = namespace(p=none) %}{% for i in range(20000) %}{% set q = ns.p %}"
        "{% macro f() %}{{ q }}{% endmacro %}{% set ns.p = f %}{% endfor %}"}) {
    const auto text = Render(source);
    EXPECT_TRUE(text) << source << ": " << text.error().Message();
  }
}

TEST(ChatTemplate, DeepTemplatesAreRefused) {
  const auto repeat = [](const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  const std::pair<const char*, const char*> kPairs[] = {
      {"(", ")"},   {"[", "]"},   {"{1:", "}"},         {"not ", ""},       {"-", ""},
      {"f(", ")"},  {"a[", "]"},  {"1 if 1 else ", ""}, {"x is eq (", ")"}, {"1|f(", ")"},
      {"- + ", ""}, {"[(", ")]"}, {"f(a=", ")"}};
  for (const auto& [open, close] : kPairs) {
    EXPECT_THAT(ErrorOf("{{ " + repeat(open, 5000) + "1" + repeat(close, 5000) + " }}"),
                HasSubstr("nested deeper"))
        << open;
    EXPECT_THAT(ErrorOf("{{ " + repeat(open, 5000)), HasSubstr("t, line 1: ")) << open;
  }
  for (const char* part :
       {"{% if 1 %}", "{% for x in y %}", "{% macro f() %}", "{% set x %}", "{% with %}",
        "{% filter upper %}", "{% generation %}", "{% call f() %}"}) {
    EXPECT_THAT(ErrorOf(repeat(part, 5000)), HasSubstr("nested deeper")) << part;
  }
  for (const char* part : {" + 1", ".a", "[0]", "|upper", "()", " and 1", " ** 1", " is eq 1"}) {
    EXPECT_THAT(ErrorOf("{{ 1" + repeat(part, 100000) + " }}"), HasSubstr("levels of operators"))
        << part;
  }
  EXPECT_EQ(*Render("{{ 0" + repeat(" + 1", 200) + " }}"), "200");
  EXPECT_EQ(*Render("{{ 0" + repeat(" ~ 1", 2000) + " }}"), "0" + repeat("1", 2000));
  EXPECT_EQ(*Render(repeat("{% if 1 %}", 60) + "x" + repeat("{% endif %}", 60)), "x");
}

TEST(ChatTemplate, DeepVariablesAreRefused) {
  OrderedJson deep = 1;
  for (int i = 0; i < 1000; ++i) deep = OrderedJson::array({std::move(deep)});
  const auto text = Render("{{ v }}", {{"v", deep}});
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().what, HasSubstr("deep"));
  EXPECT_TRUE(Render("{{ n }}", {{"v", deep}, {"n", 1}})) << "unused variables are not touched";
}

TEST(ChatTemplate, OneTemplateRendersOnManyThreads) {
  const auto parsed =
      ChatTemplate::Parse("{% for i in range(50) %}{{ 'const' ~ n ~ i }}{% endfor %}", "t");
  ASSERT_TRUE(parsed);
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < texts.size(); ++t) {
    threads.emplace_back([&, t] { texts[t] = parsed->Render({{"n", 7}}).value_or("failed"); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : texts) EXPECT_EQ(text, texts[0]);
  EXPECT_EQ(texts[0].substr(0, 14), "const70const71");
}

}  // namespace
}  // namespace ergo::tokenizer
