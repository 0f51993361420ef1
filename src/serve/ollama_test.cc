// Ollama's API, embeddings and reranking over the tiny model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/text.h"
#include "serve/service/embedding.h"
#include "serve/testing/server_fixture.h"

namespace ergo::serve::testing {
namespace {

using ::testing::HasSubstr;

class OllamaTest : public ServerTest {
 protected:
  static std::string Chat(std::string_view more = "") {
    return R"({"model": "tiny:latest", "messages": [{"role": "user", "content": "Hi"}],
        "options": {"num_predict": 9, "seed": 4, "temperature": 1})" +
           std::string(more) + "}";
  }
  static std::vector<OrderedJson> Lines(const HttpReply& reply) {
    std::vector<OrderedJson> lines;
    for (const std::string_view line : LinesOf(reply.body)) {
      lines.push_back(OrderedJson::parse(line));
    }
    return lines;
  }
};

TEST_F(OllamaTest, ChatStreamsLinesUnlessItIsToldNotTo) {
  const OrderedJson document = Post("/api/chat", Chat(R"(, "stream": false)")).Json();
  EXPECT_EQ(document["done"], true);
  EXPECT_EQ(document["done_reason"], "length");
  EXPECT_EQ(document["eval_count"], 9);
  EXPECT_GT(document["total_duration"], 0);
  EXPECT_GT(document["prompt_eval_duration"], 0);
  const HttpReply reply = Post("/api/chat", Chat());
  EXPECT_EQ(*reply.headers.Find("Content-Type"), "application/x-ndjson");
  ASSERT_TRUE(reply.whole);
  const auto lines = Lines(reply);
  std::string text;
  for (const OrderedJson& line : lines) {
    EXPECT_EQ(line["model"], "tiny");
    EXPECT_EQ(line["done"], &line == &lines.back());
    text += line["message"]["content"].get<std::string>();
  }
  EXPECT_EQ(text, document["message"]["content"]);
  EXPECT_EQ(lines.back()["eval_count"], 9);
}

TEST_F(OllamaTest, GenerateTakesSystemRawAndFormat) {
  const std::string start = R"({"model": "tiny", "prompt": "Hi", "stream": false,
      "options": {"num_predict": 40, "temperature": 1, "seed": 3})";
  const OrderedJson plain = Post("/api/generate", start + "}").Json();
  const OrderedJson raw = Post("/api/generate", start + R"(, "raw": true})").Json();
  const OrderedJson system = Post("/api/generate", start + R"(, "system": "Be kind"})").Json();
  EXPECT_FALSE(plain["response"].get<std::string>().empty());
  EXPECT_EQ(raw["prompt_eval_count"], 3);  // <s>, H, i
  EXPECT_GT(plain["prompt_eval_count"], raw["prompt_eval_count"]);
  EXPECT_GT(system["prompt_eval_count"], plain["prompt_eval_count"]);
  const OrderedJson schema =
      Post("/api/generate", start + R"(, "format": {"type": "boolean"}})").Json();
  EXPECT_TRUE(OrderedJson::parse(schema["response"].get<std::string>()).is_boolean());
  EXPECT_EQ(Post("/api/generate", R"({"model": "tiny"})").Json()["done_reason"], "load");
}

TEST_F(OllamaTest, ToolsAreCalledAndAnswered) {
  const HttpReply reply = Post("/api/chat", R"({"model": "tiny", "stream": false, "messages": [
      {"role": "user", "content": "Look"},
      {"role": "assistant", "content": "", "tool_calls": [
        {"function": {"name": "look", "arguments": {"on": true}}}]},
      {"role": "tool", "content": "red", "tool_name": "look"}], "options": {"num_predict": 3}})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Post("/api/chat", R"({"model": "tiny", "messages": [
      {"role": "tool", "content": "red"}]})")
                .status,
            400);
}

TEST_F(OllamaTest, ModelsAreListedAndShown) {
  const OrderedJson tags = Get("/api/tags").Json()["models"];
  ASSERT_EQ(tags.size(), 1U);
  EXPECT_EQ(tags[0]["name"], "tiny");
  EXPECT_GT(tags[0]["size"], 1000);
  EXPECT_EQ(tags[0]["details"]["family"], "llama");
  EXPECT_EQ(Get("/api/ps").Json()["models"][0]["context_length"], kContext);
  const OrderedJson shown = Post("/api/show", R"({"model": "tiny"})").Json();
  EXPECT_GT(shown["model_info"]["llama.block_count"], 0);
  EXPECT_THAT(shown["template"].get<std::string>(), HasSubstr("im_start"));
  EXPECT_TRUE(Get("/api/version").Json()["version"].is_string());
}

TEST_F(OllamaTest, WrongRequestsAreToldInItsShape) {
  for (const char* body :
       {"{}", R"({"model": "tiny", "messages": [{"role": "user", "images": ["x"]}]})",
        R"({"model": "tiny", "messages": [{"role": "user"}], "options": {"top_p": 3}})"}) {
    const HttpReply reply = Post("/api/chat", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_FALSE(reply.Json()["error"].get<std::string>().empty());
  }
}

class EmbeddingsTest : public OllamaTest {
 protected:
  OrderedJson Embed(std::string_view input, std::string_view more = "") const {
    const HttpReply reply =
        Post("/v1/embeddings", R"({"input": )" + std::string(input) + std::string(more) + "}");
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.Json();
  }
};

TEST_F(EmbeddingsTest, AreOfLengthOneAndTheSameHoweverTheyAreAskedFor) {
  const OrderedJson one = Embed(R"("ab")");
  const auto values = one["data"][0]["embedding"].get<std::vector<double>>();
  double sum = 0.0;
  for (const double value : values) sum += value * value;
  EXPECT_NEAR(sum, 1.0, 1e-5);
  EXPECT_EQ(one["usage"]["prompt_tokens"], 3);
  const OrderedJson many = Embed(R"(["cd", "ab"])");
  ASSERT_EQ(many["data"].size(), 2U);
  EXPECT_EQ(many["data"][1]["embedding"], one["data"][0]["embedding"]);
  EXPECT_NE(many["data"][0]["embedding"], one["data"][0]["embedding"]);
  const OrderedJson tokens = {service_->models().List()[0].model->model->tokenizer().Encode("ab")};
  EXPECT_EQ(Embed(tokens.dump())["data"][0]["embedding"], one["data"][0]["embedding"]);
  const OrderedJson ollama = Post("/api/embed", R"({"model": "tiny", "input": "ab"})").Json();
  EXPECT_EQ(ollama["embeddings"][0], one["data"][0]["embedding"]);
  EXPECT_EQ(Post("/api/embeddings", R"({"model": "tiny", "prompt": "ab"})").Json()["embedding"],
            one["data"][0]["embedding"]);
  const std::vector<float> floats(values.begin(), values.end());
  EXPECT_EQ(Embed(R"("ab")", R"(, "encoding_format": "base64")")["data"][0]["embedding"],
            Base64Of(floats));
}

TEST_F(EmbeddingsTest, FewerDimensionsAreTheFirstOnes) {
  const auto whole = Embed(R"("ab")")["data"][0]["embedding"].get<std::vector<double>>();
  const auto few =
      Embed(R"("ab")", R"(, "dimensions": 3)")["data"][0]["embedding"].get<std::vector<double>>();
  ASSERT_EQ(few.size(), 3U);
  const double scale = std::hypot(whole[0], whole[1], whole[2]);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(few[i], whole[i] / scale, 1e-5);
  const std::string wrong[] = {R"({"input": []})",
                               R"({"input": ""})",
                               R"({"input": [[]]})",
                               R"({"input": [[99999]]})",
                               R"({"input": "a", "dimensions": 99999})",
                               R"({"input": ")" + std::string(300, 'a') + "\"}"};
  for (const std::string& body : wrong) EXPECT_EQ(Post("/v1/embeddings", body).status, 400) << body;
}

TEST_F(EmbeddingsTest, OllamaCutsWhatIsTooLong) {
  const std::string start = R"({"model": "tiny", "input": ")" + std::string(300, 'a') + "\"";
  EXPECT_EQ(Post("/api/embed", start + "}").Json()["prompt_eval_count"], kContext);
  EXPECT_EQ(Post("/api/embed", start + R"(, "truncate": false})").status, 400);
}

TEST(Base64Test, WritesLittleEndianFloats) {
  EXPECT_EQ(Base64Of(std::vector<float>()), "");
  EXPECT_EQ(Base64Of(std::vector<float>{1.0f}), "AACAPw==");
  EXPECT_EQ(Base64Of(std::vector<float>{1.0f, -2.0f}), "AACAPwAAAMA=");
  EXPECT_EQ(Base64Of(std::vector<float>{1.0f, -2.0f, 0.5f}), "AACAPwAAAMAAAAA/");
}

TEST_F(EmbeddingsTest, RerankSortsByScore) {
  const std::string body = R"({"query": "red", "documents": ["a", {"text": "red red"}, "b"])";
  const OrderedJson json = Post("/v1/rerank", body + R"(, "return_documents": true})").Json();
  ASSERT_EQ(json["results"].size(), 3U) << json.dump();
  std::vector<bool> seen(3);
  for (std::size_t i = 0; i < 3; ++i) {
    const OrderedJson& result = json["results"][i];
    seen.at(result["index"].get<std::size_t>()) = true;
    EXPECT_GT(result["relevance_score"], 0.0);
    EXPECT_LT(result["relevance_score"], 1.0);
    if (i == 0) continue;
    EXPECT_GE(json["results"][i - 1]["relevance_score"], result["relevance_score"]);
  }
  EXPECT_EQ(seen, std::vector<bool>(3, true));
  const OrderedJson top = Post("/v1/rerank", body + R"(, "top_n": 1})").Json();
  ASSERT_EQ(top["results"].size(), 1U);
  EXPECT_EQ(top["results"][0]["index"], json["results"][0]["index"]);
  EXPECT_EQ(Post("/v1/rerank", R"({"query": "", "documents": ["a"]})").status, 400);
  EXPECT_EQ(Post("/v1/rerank", R"({"query": "a", "documents": []})").status, 400);
  EXPECT_TRUE(Soon([&] { return Stats().idle == 0; }));
}

}  // namespace
}  // namespace ergo::serve::testing
