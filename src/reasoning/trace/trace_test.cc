#include "reasoning/trace/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/utf8.h"
#include "reasoning/trace/recorder.h"

namespace ergo::reasoning {
namespace {

using ::testing::HasSubstr;

Trace Head() {
  Trace head;
  head.question = "How much is 3 × 12?";
  head.owner = "ann";
  head.model_name = "tiny";
  head.model_hash = "00ff";
  head.strategy = "direct";
  head.settings["temperature"] = 0.5;
  head.seed = 18446744073709551615u;
  return head;
}

TraceNode Node(std::string text, NodeKind kind = NodeKind::kStep) {
  TraceNode node;
  node.kind = kind;
  node.text = std::move(text);
  return node;
}

/// A recorder whose events are kept.
struct Recorded {
  std::vector<TraceEvent> events;
  Recorder recorder{Head(), [this](const TraceEvent& event) { events.push_back(event); }};
};

OrderedJson Reparsed(const OrderedJson& json) {
  const auto parsed = ParseOrderedJson(json.dump(), "trace");
  EXPECT_TRUE(parsed) << parsed.error().Message();
  return parsed.value_or(OrderedJson());
}

void Fill(Recorder& recorder) {
  const std::string question = recorder.Add(Node("How much?", NodeKind::kQuestion));
  TraceNode step = Node("3 × 12 = 36");
  step.formal = "3*12";
  step.value = "36";
  step.search = {question, 1, 4, 0.5, 0.25};
  step.confidence.token = 0.75;
  step.evidence = {{"book", {3, 9}, "entails", 0.5}};
  step.tokens = {{"3 ", -0.25, 0.5}, {"\xC3", -1.0, {}}, {"\x97", -2.0, {}}};
  step.kv_shared = 10;
  step.kv_new = 3;
  const std::string id = recorder.Add(step, question, EdgeType::kGoal);
  recorder.Verify(id, {"arithmetic", Verdict::kVerified, true, "exact rationals", "", {0, 11}, ""});
  recorder.Verify(id, {"self", Verdict::kUnchecked, false, "", "no time", {}, "36"});
  recorder.Update(id, {{"confidence", {{"vote", 1.0}}}, {"search", {{"visits", 5}}}});
  recorder.Link({question, id, EdgeType::kPremise, 0.5});
  recorder.Stage({"derive", 12.5, 3, "done"});
  recorder.Conflict({{question, id}, "cannot both hold"});
  recorder.Memory({{"kind", "lemma"}, {"hit", false}});
  recorder.Set({{"status", "answered"}, {"answer", "36"}, {"budget", {{"tokens", 3}}}});
}

TEST(RecorderTest, TheDocumentIsTheFoldOfTheEvents) {
  Recorded recorded;
  Fill(recorded.recorder);
  ASSERT_TRUE(recorded.recorder.status()) << recorded.recorder.status().error().Message();
  const Trace document = recorded.recorder.Document();
  Status damage;
  EXPECT_EQ(ToJson(Fold(recorded.events, &damage)), ToJson(document));
  EXPECT_TRUE(damage);
  for (std::size_t i = 0; i < recorded.events.size(); ++i) EXPECT_EQ(recorded.events[i].seq, i);
  EXPECT_EQ(recorded.events.front().type, "begin");
  EXPECT_EQ(recorded.events.back().type, "end");

  EXPECT_EQ(document.status, "answered");
  EXPECT_EQ(document.answer, "36");
  EXPECT_EQ(document.budget.tokens, 3u);
  EXPECT_EQ(document.seed, 18446744073709551615u);
  EXPECT_EQ(document.settings["temperature"], 0.5);
  ASSERT_EQ(document.nodes.size(), 2u);
  const TraceNode& step = *document.Find("n2");
  EXPECT_EQ(step.search.parent, "n1");  // An update merges objects …
  EXPECT_EQ(step.search.visits, 5u);
  EXPECT_EQ(step.confidence.token, 0.75);
  EXPECT_EQ(step.confidence.vote, 1.0);
  ASSERT_EQ(step.verification.size(), 2u);
  EXPECT_EQ(step.verification[0].status, Verdict::kVerified);
  EXPECT_EQ(step.tokens[1].text, "\xC3");  // … and bytes that are no character survive.
  ASSERT_EQ(document.edges.size(), 2u);
  EXPECT_EQ(document.edges[0].type, EdgeType::kGoal);
  EXPECT_EQ(document.Find("n3"), nullptr);
}

TEST(RecorderTest, AppliedOneByOneItIsTheSame) {
  Recorded recorded;
  Fill(recorded.recorder);
  Trace trace;
  for (const TraceEvent& event : recorded.events) ASSERT_TRUE(Apply(event, &trace));
  EXPECT_EQ(ToJson(trace), ToJson(recorded.recorder.Document()));
}

TEST(RecorderTest, WhatDoesNotFitRecordsNothingAndIsTold) {
  Recorded recorded;
  const std::string id = recorded.recorder.Add(Node("a step"));
  const OrderedJson before = ToJson(recorded.recorder.Document());
  EXPECT_TRUE(recorded.recorder.status());
  recorded.recorder.Update(id, {{"text", "changed"}, {"verification", {{{"status", "perhaps"}}}}});
  recorded.recorder.Update(id, OrderedJson::array());
  recorded.recorder.Set({{"id", "another"}});
  recorded.recorder.Set({{"answer", 7}});
  EXPECT_EQ(ToJson(recorded.recorder.Document()), before);
  ASSERT_FALSE(recorded.recorder.status());
  EXPECT_THAT(recorded.recorder.status().error().Message(), HasSubstr("perhaps"));
  recorded.recorder.Add(Node("goes on"));
  EXPECT_TRUE(ToJson(Fold(recorded.events)) == ToJson(recorded.recorder.Document()));
}

TEST(RecorderTest, GivenIdsAreKeptAndNextOnesAvoidThem) {
  Recorded recorded;
  TraceNode given = Node("given");
  given.id = "n2";
  EXPECT_EQ(recorded.recorder.Add(given), "n2");
  EXPECT_EQ(recorded.recorder.Add(Node("")), "n1");
  EXPECT_EQ(recorded.recorder.Add(Node("")), "n3");
  EXPECT_EQ(recorded.recorder.Document().nodes.size(), 3u);
}

TEST(RecorderTest, HostileTextAndNumbersCanBeWritten) {
  Recorded recorded;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  TraceNode node = Node(std::string("a\0b\xFF\xC3", 5));
  node.id = "\xFE";
  node.tokens = {{"\xE4", -kInfinity, {}}, {"x", std::nan(""), kInfinity}};
  node.confidence.token = std::nan("");
  node.search.value = kInfinity;
  const std::string id = recorded.recorder.Add(node);
  recorded.recorder.Update(id, {{"value", "\xFF"}, {"confidence", {{"vote", kInfinity}}}});
  OrderedJson deep = 1;
  for (int i = 0; i < 1000; ++i) deep = OrderedJson::array({deep});
  recorded.recorder.Memory({{"deep", deep}, {"\xFF", "\xFF"}});
  ASSERT_TRUE(recorded.recorder.status()) << recorded.recorder.status().error().Message();
  const OrderedJson json = ToJson(recorded.recorder.Document());
  EXPECT_EQ(Reparsed(json), json);
  const Trace document = recorded.recorder.Document();
  EXPECT_EQ(document.nodes[0].text, std::string("a\0b\xEF\xBF\xBD\xEF\xBF\xBD", 9));
  EXPECT_EQ(document.nodes[0].tokens[0].text, "\xE4");
  EXPECT_EQ(document.nodes[0].tokens[0].logprob, kLeastLogprob);
  EXPECT_EQ(document.nodes[0].confidence.token, std::nullopt);
  for (const TraceEvent& event : recorded.events) Reparsed(ToJson(event));
}

TEST(RecorderTest, ThreadsInterleaveWholeEvents) {
  Recorded recorded;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&recorded] {
      for (int i = 0; i < 200; ++i) {
        const std::string id = recorded.recorder.Add(Node("step"), "root", EdgeType::kGoal);
        recorded.recorder.Update(id, {{"value", id}});
        recorded.recorder.Verify(
            id, {.method = "m", .semantics = "", .detail = "", .span = {}, .value = ""});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(recorded.recorder.status());
  const Trace document = recorded.recorder.Document();
  EXPECT_EQ(document.nodes.size(), 800u);
  EXPECT_EQ(recorded.events.size(), 1u + 4 * 800);
  for (const TraceNode& node : document.nodes) EXPECT_EQ(node.value, node.id);
  EXPECT_TRUE(ToJson(Fold(recorded.events)) == ToJson(document));
}

TEST(TraceJsonTest, RoundTrip) {
  Recorded recorded;
  Fill(recorded.recorder);
  const OrderedJson json = ToJson(recorded.recorder.Document());
  const auto read = TraceFromJson(Reparsed(json));
  ASSERT_TRUE(read) << read.error().Message();
  EXPECT_EQ(ToJson(*read), json);
  for (const TraceEvent& event : recorded.events) {
    const auto again = TraceEventFromJson(Reparsed(ToJson(event)));
    ASSERT_TRUE(again) << again.error().Message();
    EXPECT_EQ(ToJson(*again), ToJson(event));
  }
}

TEST(TraceJsonTest, UnknownFieldsAreIgnoredWrongOnesNamed) {
  Recorded recorded;
  Fill(recorded.recorder);
  const OrderedJson json = ToJson(recorded.recorder.Document());
  OrderedJson later = json;
  later["mood"] = "good";
  later["nodes"][0]["colour"] = {{"hue", 3}};
  const auto read = TraceFromJson(later);
  ASSERT_TRUE(read) << read.error().Message();
  EXPECT_EQ(ToJson(*read), json);

  const auto error = [&](const char* pointer, OrderedJson value) {
    OrderedJson wrong = json;
    wrong[OrderedJson::json_pointer(pointer)] = std::move(value);
    const auto refused = TraceFromJson(wrong);
    return refused ? std::string("was read") : refused.error().Message();
  };
  EXPECT_THAT(error("/answer", 3), HasSubstr("trace.answer: is not text"));
  EXPECT_THAT(error("/schema_version", 99), HasSubstr("newer version"));
  EXPECT_THAT(error("/seed", -1), HasSubstr("trace.seed"));
  EXPECT_THAT(error("/budget/tokens", 0.5), HasSubstr("trace.budget.tokens"));
  EXPECT_THAT(error("/settings", "x"), HasSubstr("trace.settings"));
  EXPECT_THAT(error("/nodes", 1), HasSubstr("trace.nodes: is not an array"));
  EXPECT_THAT(error("/nodes/1", "x"), HasSubstr("nodes[1]"));
  EXPECT_THAT(error("/nodes/1/kind", "thought"), HasSubstr("is unknown: \"thought\""));
  EXPECT_THAT(error("/nodes/1/id", "n1"), HasSubstr("two nodes"));
  EXPECT_THAT(error("/nodes/1/id", nullptr), HasSubstr("is missing"));
  EXPECT_THAT(error("/nodes/1/tokens/0/logprob", "low"), HasSubstr("tokens[0].logprob"));
  EXPECT_THAT(error("/nodes/1/tokens/1/bytes/0", 256), HasSubstr("tokens[1].bytes"));
  EXPECT_THAT(error("/nodes/1/evidence/0/span", {1, 2, 3}), HasSubstr("evidence[0].span"));
  EXPECT_THAT(error("/nodes/1/search/depth", 1e300), HasSubstr("search.depth"));
  EXPECT_THAT(error("/edges/0/type", "friend"), HasSubstr("edges[0]"));
  EXPECT_THAT(error("/conflicts/0/nodes/0", 1), HasSubstr("conflict"));
  EXPECT_FALSE(TraceFromJson(OrderedJson::array()));
  EXPECT_FALSE(TraceEventFromJson(OrderedJson::object()));
  EXPECT_FALSE(TraceEventFromJson({{"seq", 1}, {"type", "node"}}));
  EXPECT_FALSE(TraceEventFromJson({{"seq", -1}, {"type", "node"}, {"patch", {}}}));
}

TEST(FoldTest, ADamagedLogIsReadUpToTheDamage) {
  Recorded recorded;
  Fill(recorded.recorder);
  const std::vector<TraceEvent>& events = recorded.events;
  const auto damage_of = [](const std::vector<TraceEvent>& log, std::size_t* nodes) {
    Status damage;
    *nodes = Fold(log, &damage).nodes.size();
    return damage ? std::string() : damage.error().Message();
  };
  std::size_t nodes = 0;
  std::vector<TraceEvent> log = {events.begin(), events.begin() + 2};
  EXPECT_EQ(damage_of(log, &nodes), "");
  EXPECT_EQ(nodes, 1u);
  log.push_back(events[3]);  // One is missing.
  EXPECT_THAT(damage_of(log, &nodes), HasSubstr("event 3 stands where 2 belongs"));
  EXPECT_EQ(nodes, 1u);
  log.back() = events[2];
  log.back().type = "mode";
  EXPECT_THAT(damage_of(log, &nodes), HasSubstr("is no kind of event"));
  log.back() = events[2];
  log.back().patch = "text";
  EXPECT_THAT(damage_of(log, &nodes), HasSubstr("is not an object"));
  log.back() = events[0];
  log.back().seq = 2;
  EXPECT_THAT(damage_of(log, &nodes), HasSubstr("a second time"));
  log = {events[1]};
  log[0].seq = 0;
  EXPECT_THAT(damage_of(log, &nodes), HasSubstr("before the beginning"));
  EXPECT_EQ(nodes, 0u);
  EXPECT_EQ(damage_of({}, &nodes), "");
}

/// Random calls, hostile ones among them.
void Disturb(Recorder& recorder, std::mt19937& random) {
  static const char* const kTexts[] = {"", "a", "</script>", "\xFF\xFE", "半 dozen", "\n\t\"\\"};
  const auto pick = [&](std::uint32_t count) { return random() % count; };
  const auto text = [&] { return std::string(kTexts[pick(std::size(kTexts))]); };
  const auto id = [&] { return pick(9) == 0 ? text() : "n" + std::to_string(1 + pick(12)); };
  const auto number = [&] { return pick(8) == 0 ? std::nan("") : 1.0 / (1 + pick(20)); };
  TraceNode node = Node(text(), static_cast<NodeKind>(pick(8)));
  switch (pick(9)) {
    case 0:
      node.id = pick(2) ? id() : "";
      node.tokens.assign(pick(4), {text(), -number(), number()});
      recorder.Add(node);
      break;
    case 1:
      recorder.Add(node, id(), static_cast<EdgeType>(pick(6)));
      break;
    case 2:
      recorder.Update(id(), {{"value", text()}, {"confidence", {{"vote", number()}}}});
      break;
    case 3:
      recorder.Update(id(), {{"search", nullptr}, {"tokens", nullptr}, {"kind", text()}});
      break;
    case 4:
      recorder.Verify(id(), {text(),
                             static_cast<Verdict>(pick(4)),
                             pick(2) == 0,
                             text(),
                             text(),
                             {pick(5), pick(9)},
                             text()});
      break;
    case 5:
      recorder.Link({id(), id(), static_cast<EdgeType>(pick(6)), number()});
      break;
    case 6:
      recorder.Stage({text(), number(), pick(100), text()});
      break;
    case 7:
      recorder.Set({{"answer", text()}, {"confidence", number()}, {"status", text()}});
      break;
    default:
      recorder.Set({{text(), text()}, {"budget", {{"calls", pick(9)}}}});
  }
}

TEST(FoldTest, AnySequenceOfCallsFoldsToTheDocumentAndSurvivesJson) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    Recorded recorded;
    for (int i = 0; i < 60; ++i) Disturb(recorded.recorder, random);
    const OrderedJson document = ToJson(recorded.recorder.Document());
    Status damage;
    ASSERT_TRUE(ToJson(Fold(recorded.events, &damage)) == document) << seed;
    ASSERT_TRUE(damage) << damage.error().Message();
    const auto read = TraceFromJson(Reparsed(document));
    ASSERT_TRUE(read) << seed << read.error().Message();
    ASSERT_TRUE(ToJson(*read) == document) << seed;
    std::vector<TraceEvent> reread;
    for (const TraceEvent& event : recorded.events) {
      const auto again = TraceEventFromJson(Reparsed(ToJson(event)));
      ASSERT_TRUE(again) << again.error().Message();
      reread.push_back(*again);
    }
    ASSERT_TRUE(ToJson(Fold(reread)) == document) << seed;
    // Whatever is cut off, dropped or doubled, there is a readable prefix.
    std::vector<TraceEvent> broken = recorded.events;
    broken[random() % broken.size()] = broken[random() % broken.size()];
    ASSERT_TRUE(TraceFromJson(ToJson(Fold(broken, &damage)))) << seed;
  }
}

TEST(TraceIdTest, SortedByTimeAndDistinct) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(NewTraceId());
  EXPECT_EQ(ids.size(), 1000u);
  for (const std::string& id : ids) {
    ASSERT_EQ(id.size(), 26u);
    ASSERT_EQ(id.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), id.npos) << id;
  }
  const std::string first = NewTraceId();
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  EXPECT_LT(first.substr(0, 10), NewTraceId().substr(0, 10));
}

}  // namespace
}  // namespace ergo::reasoning
