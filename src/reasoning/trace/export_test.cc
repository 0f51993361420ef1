#include "reasoning/trace/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "reasoning/trace/recorder.h"
#include "reasoning/trace/redact.h"

namespace ergo::reasoning {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Made {
  Trace trace;
  std::vector<TraceEvent> events;
};

/// A trace with a question, two steps, a check and text that would break out of every format.
Made Make(const std::string& hostile) {
  Made made;
  Trace head;
  head.question = "How many? " + hostile;
  head.settings["note"] = "for " + hostile;
  Recorder recorder(head, [&](const TraceEvent& event) { made.events.push_back(event); });
  TraceNode node;
  node.kind = NodeKind::kQuestion;
  node.text = head.question;
  node.id = hostile;
  const std::string question = recorder.Add(node);
  node = {};
  node.text = "3 × 12 = 36 " + hostile;
  node.search.parent = question;
  node.tokens = {{"3 ×", -0.1, {}}, {" 12 = 3", -0.5, 0.25}, {"6", -2.0, {}}};
  const std::string step = recorder.Add(node);
  recorder.Link({question, step, EdgeType::kPremise, 1.0});
  recorder.Verify(step, {"arithmetic",
                         Verdict::kVerified,
                         true,
                         "exact rationals",
                         "as said: " + hostile,
                         {0, 11},
                         ""});
  node = {};
  node.kind = NodeKind::kAnswer;
  node.text = "36";
  node.confidence.calibrated = 0.75;
  const std::string answer = recorder.Add(node);
  recorder.Link({step, answer, EdgeType::kPremise, 1.0});
  recorder.Link({"nowhere", answer, EdgeType::kContradicts, 1.0});
  recorder.Memory({{"from", hostile}, {"id", hostile}});
  recorder.Set({{"status", "answered"}, {"answer", "36"}});
  EXPECT_TRUE(recorder.status());
  made.trace = recorder.Document();
  return made;
}

std::size_t Count(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

constexpr char kHostile[] = "</script><script>alert(1)</script><!-- \"];\n} --> {{x}} `#quot; &lt;";

TEST(ExportTest, TextCannotBreakOutOfTheHtml) {
  const Made made = Make(kHostile);
  for (const auto& events : {made.events, std::vector<TraceEvent>()}) {
    const std::string html = TraceToHtml(made.trace, events);
    EXPECT_EQ(Count(html, "<script"), 2u);
    EXPECT_EQ(Count(html, "</script"), 2u);
    EXPECT_EQ(html.find("alert(1)</"), html.npos);
    EXPECT_EQ(Count(html, "/*["), 0u);  // Every part is in its place.
    EXPECT_THAT(
        html, AllOf(HasSubstr("class Fold"), HasSubstr(":root"), HasSubstr("default-src 'none'")));
    EXPECT_THAT(html, AllOf(Not(HasSubstr("http://")), Not(HasSubstr("https://"))));
    // The data are whole, and nothing in them can end their element.
    const std::string begin = "id=\"data\">";
    const std::size_t at = html.find(begin) + begin.size();
    const std::string data = html.substr(at, html.find("</script>", at) - at);
    EXPECT_EQ(data.find_first_of("<>&"), data.npos);
    const auto json = ParseOrderedJson(data, "data");
    ASSERT_TRUE(json) << json.error().Message();
    EXPECT_EQ(json->at("events").size(), events.size());
    EXPECT_EQ(json->contains("document"), events.empty());
    if (events.empty()) {
      EXPECT_EQ(json->at("document"), ToJson(made.trace));
    }
  }
}

TEST(ExportTest, MarkersInTextStayText) {
  const Made made = Make("/*[script]*/ /*[style]*/ /*[data]*/");
  EXPECT_EQ(Count(TraceToHtml(made.trace, made.events), "class Fold"), 1u);
}

TEST(ExportTest, DotAndMermaidQuoteEverything) {
  const Made made = Make(kHostile);
  const std::string dot = TraceToDot(made.trace);
  EXPECT_EQ(Count(dot, "\n  n0 ["), 1u);
  EXPECT_THAT(dot,
              AllOf(HasSubstr("n0 -> n1;"), HasSubstr("n1 -> n2;"), HasSubstr("style=dotted")));
  EXPECT_THAT(dot, HasSubstr("✓ 3 × 12 = 36"));
  EXPECT_THAT(dot, HasSubstr("36 (75%)"));
  // Each line but the frame's is a node or an edge: no text has made a line of its own.
  const std::string chart = TraceToMermaid(made.trace);
  EXPECT_EQ(Count(chart, "\n"), 1u + 3 + 1 + 2 + 1);
  EXPECT_THAT(chart,
              AllOf(HasSubstr("flowchart TD\n"), HasSubstr("n1 --> n2"), HasSubstr("n0 -.- n1")));
  EXPECT_EQ(chart.find("<script"), chart.npos);
}

TEST(ExportTest, FormatsByName) {
  const Made made = Make("x");
  const auto json = ExportTrace(made.trace, made.events, "json");
  ASSERT_TRUE(json);
  const auto parsed = ParseOrderedJson(*json, "export");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, ToJson(made.trace));
  EXPECT_TRUE(ExportTrace(made.trace, made.events, "html")->starts_with("<!doctype html>"));
  EXPECT_TRUE(ExportTrace(made.trace, made.events, "dot")->starts_with("digraph"));
  EXPECT_TRUE(ExportTrace({}, {}, "mermaid")->starts_with("flowchart"));
  EXPECT_THAT(ExportTrace(made.trace, {}, "pdf").error().Message(), HasSubstr("use html"));
}

TEST(RedactTest, SecretsAreGoneFromEveryFormat) {
  const Made made = Make("key hunter2 of ann@example.org");
  const Redaction redaction{.exact = {"hunter2"}, .patterns = {R"([\w.]+@[\w.]+)"}};
  for (const char* format : {"json", "html", "dot", "mermaid"}) {
    // The id of a node is no text; it is given by strategies.
    Made named = made;
    for (TraceNode& node : named.trace.nodes) {
      if (node.kind == NodeKind::kQuestion) node.id = "q";
      node.search.parent = node.search.parent.empty() ? "" : "q";
    }
    named.trace.edges[0].from = "q";
    const auto shown = ExportTrace(named.trace, {}, format, redaction);
    ASSERT_TRUE(shown) << shown.error().Message();
    EXPECT_THAT(*shown, AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("example.org")))) << format;
    EXPECT_THAT(*shown, HasSubstr("redacted")) << format;
  }
}

TEST(RedactTest, EventsOfMemoryAndTokensToo) {
  const Made made = Make("");
  const auto html =
      ExportTrace(made.trace, made.events, "html", {.exact = {"12 = 36"}, .patterns = {}});
  ASSERT_TRUE(html);
  EXPECT_THAT(*html, AllOf(Not(HasSubstr("12 = 3")), HasSubstr("[redacted]")));
  OrderedJson json = ToJson(made.trace);
  ASSERT_TRUE(Redact({.exact = {"12 = 36"}, .patterns = {}}, &json));
  const OrderedJson& step = json["nodes"][1];
  EXPECT_EQ(step["text"], "3 × [redacted] ");
  EXPECT_EQ(step["tokens"][0]["text"], "3 ×");
  EXPECT_EQ(step["tokens"][1]["text"], "[redacted]");
  EXPECT_EQ(step["tokens"][2]["text"], "");
  EXPECT_FALSE(step["verification"][0].contains("span"));
  EXPECT_EQ(step["kind"], "step");
  const Made secret = Make("hunter2");
  OrderedJson memory = {{"memory_events", OrderedJson::array()}};
  for (const TraceEvent& event : secret.events) {
    if (event.type == "memory") memory["memory_events"].push_back(event.patch);
  }
  ASSERT_NE(memory.dump().find("hunter2"), std::string::npos);
  ASSERT_TRUE(Redact({.exact = {"hunter2"}, .patterns = {}}, &memory));
  EXPECT_EQ(memory.dump().find("hunter2"), std::string::npos);
}

TEST(RedactTest, EdgesOfPatterns) {
  OrderedJson json = {{"text", "半a半bb"}, {"id", "bb"}, {"kind", "bb"}};
  ASSERT_TRUE(Redact({.exact = {""}, .patterns = {"x*", "b|半", ""}}, &json));
  EXPECT_EQ(json["text"], "[redacted]a[redacted]");
  EXPECT_EQ(json["id"], "bb");
  EXPECT_THAT(Redact({.exact = {}, .patterns = {"(["}}, &json).error().Message(),
              HasSubstr("pattern"));
  OrderedJson slow = {{"text", std::string(60, 'a')}};
  EXPECT_THAT(Redact({.exact = {}, .patterns = {"(a+)+$^"}}, &slow).error().Message(),
              HasSubstr("too long"));
  OrderedJson same = {{"text", "a"}, {"span", {0, 1}}};
  ASSERT_TRUE(Redact({.exact = {"b"}, .patterns = {}}, &same));
  EXPECT_TRUE(same.contains("span"));
}

}  // namespace
}  // namespace ergo::reasoning
