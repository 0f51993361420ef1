#include "tokenizer/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <thread>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "formats/testing/gguf_builder.h"
#include "formats/testing/temp_folder.h"
#include "tokenizer/tokenizer_json.h"

namespace ergo::tokenizer {
namespace {

using formats::GgufType;
using formats::ModelFiles;
using formats::testing::Array;
using formats::testing::GgufBuilder;
using formats::testing::Raw;
using formats::testing::Text;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string GoldenFolder() { return std::string(ERGO_SOURCE_DIR) + "/tests/golden/tokenizer"; }

std::string ReadGolden(const std::string& path) {
  auto text = ReadFile(GoldenFolder() + "/" + path, std::size_t{1} << 24);
  EXPECT_TRUE(text) << text.error().Message();
  return text.value_or("");
}

ModelFiles FolderWith(std::string tokenizer_json) {
  ModelFiles files;
  files.kind = ModelFiles::Kind::kHuggingFace;
  files.path = "folder";
  files.config = Json::object();
  files.tokenizer_json = std::move(tokenizer_json);
  return files;
}

std::string Streamed(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, bool skip) {
  StreamDecoder stream(tokenizer, skip);
  std::string text;
  for (const TokenId id : ids) {
    const std::string part = stream.Push(id);
    EXPECT_FALSE(FindInvalidUtf8(part)) << "part of a character";
    text += part;
  }
  return text + stream.Finish();
}

std::vector<TokenId> IdsOf(const Json& json) { return json.get<std::vector<TokenId>>(); }

class TokenizerGoldenTest : public ::testing::TestWithParam<std::string> {};

TEST_P(TokenizerGoldenTest, SameIdsAndTextAsTheReference) {
  const auto tokenizer = Tokenizer::Load(FolderWith(ReadGolden(GetParam() + "/tokenizer.json")));
  ASSERT_TRUE(tokenizer) << tokenizer.error().Message();
  const Json cases = Json::parse(ReadGolden(GetParam() + "/cases.json"));
  ASSERT_GT(cases.size(), 10u);
  for (const Json& c : cases) {
    const auto text = c.at("text").get<std::string>();
    SCOPED_TRACE(text);
    const std::vector<TokenId> ids = tokenizer->Encode(text);
    EXPECT_EQ(ids, IdsOf(c.at("ids")));
    EXPECT_EQ(tokenizer->Encode(text, {false, false}), IdsOf(c.at("plain")));
    if (c.contains("decoded")) {
      EXPECT_EQ(tokenizer->Decode(ids), c.at("decoded").get<std::string>());
    }
    if (c.contains("shown")) {
      EXPECT_EQ(tokenizer->Decode(ids, true), c.at("shown").get<std::string>());
    }
    EXPECT_EQ(Streamed(*tokenizer, ids, false), tokenizer->Decode(ids));
  }
}

std::vector<std::string> GoldenNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(GoldenFolder())) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerGoldenTest, ::testing::ValuesIn(GoldenNames()),
                         [](const auto& golden) {
                           std::string name = golden.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); },
                               '_');
                           return name;
                         });

TEST(TokenizerTest, LongTextsUseTheCacheAndGiveTheSame) {
  const auto tokenizer = Tokenizer::Load(FolderWith(ReadGolden("nfc-gpt4/tokenizer.json")));
  ASSERT_TRUE(tokenizer);
  const EncodeOptions plain{false, true};
  std::string text;
  std::vector<TokenId> want;
  for (int i = 0; i < 2000; ++i) {
    const std::string line = "Line " + std::to_string(i % 97) + " of n\u00E9arly the same\n";
    const auto ids = tokenizer->Encode(line, plain);
    want.insert(want.end(), ids.begin(), ids.end());
    text += line;
  }
  EXPECT_EQ(tokenizer->Encode(text, plain), want);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(tokenizer->Encode(text, plain), want); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(TokenizerTest, InvalidBytesCountAsReplacementCharacters) {
  const auto tokenizer = Tokenizer::Load(FolderWith(ReadGolden("ignore-merges/tokenizer.json")));
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->Encode("a\xFF\xE4\xB8 b\xC0"), tokenizer->Encode("a\uFFFD\uFFFD b\uFFFD"));
}

TEST(TokenizerTest, StreamHoldsPartsOfCharacters) {
  const auto tokenizer = Tokenizer::Load(FolderWith(ReadGolden("ignore-merges/tokenizer.json")));
  ASSERT_TRUE(tokenizer);
  // The bytes E2 82 AC in the byte alphabet.
  const auto first = tokenizer->Find("\u00E2");
  const auto second = tokenizer->Find("\u0124");
  const auto third = tokenizer->Find("\u00AC");
  ASSERT_TRUE(first && second && third);
  StreamDecoder stream(*tokenizer);
  EXPECT_EQ(stream.Push(*first), "");
  EXPECT_EQ(stream.Push(*second), "");
  EXPECT_EQ(stream.Push(*third), "\u20AC");
  EXPECT_EQ(stream.Push(*first), "");
  EXPECT_EQ(stream.Push(-1), "");
  EXPECT_EQ(stream.Push(1 << 30), "");
  EXPECT_EQ(stream.Finish(), "\uFFFD");
  EXPECT_EQ(stream.Push(*first), "");
  EXPECT_EQ(stream.Push(*first), "\uFFFD");
  EXPECT_EQ(stream.Finish(), "\uFFFD");
  EXPECT_EQ(tokenizer->PieceBytes(*first), "\xE2");
  EXPECT_EQ(tokenizer->PieceBytes(-5), "");
}

TEST(TokenizerTest, ConfigsNameSpecialTokensAndTemplate) {
  ModelFiles files = FolderWith(ReadGolden("llama/tokenizer.json"));
  files.tokenizer_config_json =
      R"({"bos_token":{"content":"<s>"},"eos_token":"</s>",
          "chat_template":[{"name":"other","template":"x"},{"name":"default","template":"hi"}]})";
  files.generation_config = Json::parse(R"({"eos_token_id":[5,2,99999999,-3]})");
  auto tokenizer = Tokenizer::Load(files);
  ASSERT_TRUE(tokenizer) << tokenizer.error().Message();
  EXPECT_EQ(tokenizer->bos(), tokenizer->Find("<s>"));
  EXPECT_EQ(tokenizer->eos(), tokenizer->Find("</s>"));
  const TokenId end = *tokenizer->Find("<|im_start|>");
  EXPECT_TRUE(tokenizer->IsSpecial(end));
  EXPECT_FALSE(tokenizer->IsSpecial(-1));
  EXPECT_THAT(tokenizer->end_of_generation(), ElementsAre(2, 5));
  EXPECT_EQ(tokenizer->chat_template(), "hi");
  files.chat_template = "file";
  tokenizer = Tokenizer::Load(files);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->chat_template(), "file");
  files.tokenizer_config_json = "{";
  EXPECT_THAT(Tokenizer::Load(files).error().Message(), HasSubstr("tokenizer_config.json"));
}

TEST(TokenizerTest, BadTokenizerJsonSaysWhy) {
  const auto message = [](std::string json) {
    const auto tokenizer = Tokenizer::Load(FolderWith(std::move(json)));
    return tokenizer ? "loaded" : tokenizer.error().Message();
  };
  const auto model = [&](const std::string& body) {
    return message(R"({"model":{"type":"BPE",)" + body + "}}");
  };
  EXPECT_THAT(message("{"), HasSubstr("not valid JSON at byte"));
  EXPECT_THAT(message("\xFF"), HasSubstr("not UTF-8"));
  EXPECT_THAT(message("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(message("{}"), HasSubstr("lacks"));
  EXPECT_THAT(message(R"({"model":{"type":"Unigram","vocab":[["a",0.5]]}})"),
              HasSubstr("\"Unigram\" is not supported"));
  EXPECT_THAT(message(std::string(100000, '[')), HasSubstr("nested too deep"));
  EXPECT_EQ(model(R"("vocab":{"a":0,"b":1,"ab":2},"merges":["a b"])"), "loaded");
  EXPECT_EQ(model(R"("vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]])"), "loaded");
  EXPECT_THAT(model(R"("vocab":{"a":0,"a":1},"merges":[])"), HasSubstr("same string"));
  EXPECT_THAT(model(R"("vocab":{"a":0,"b":0},"merges":[])"), HasSubstr("two strings"));
  EXPECT_THAT(model(R"("vocab":{"a":-1},"merges":[])"), HasSubstr("below zero"));
  EXPECT_THAT(model(R"("vocab":{"a":99999999999},"merges":[])"), HasSubstr("2^31"));
  EXPECT_THAT(model(R"("vocab":{"a":0},"merges":["a a"])"), HasSubstr("no token"));
  EXPECT_THAT(model(R"("vocab":{"a":0},"merges":["aa"])"), HasSubstr("not two strings"));
  EXPECT_THAT(model(R"("vocab":{"a":0},"merges":[["a"]])"), HasSubstr("not two strings"));
  EXPECT_THAT(model(R"("vocab":{"a":0},"merges":[{}])"), HasSubstr("object inside"));
  EXPECT_THAT(model(R"("vocab":{"a":{}},"merges":[])"), HasSubstr("object inside"));
  EXPECT_THAT(model(R"("vocab":{"a":"x"},"merges":[])"), HasSubstr("wrong kind"));
  EXPECT_THAT(model(R"("vocab":{},"vocab":{},"merges":[])"), HasSubstr("duplicate key"));
  EXPECT_THAT(message(R"({"model":{"vocab":{"a":0},"merges":[]},"added_tokens":[{"id":1}]})"),
              HasSubstr("added token without"));
  EXPECT_EQ(message(R"({"model":{"vocab":{"a":0},"merges":[]},
                       "added_tokens":[{"id":2147483647,"content":"","special":true}]})"),
            "loaded");
  EXPECT_THAT(message(R"({"model":{"vocab":{"a":0},"merges":[]},
                          "post_processor":{"type":"BertProcessing","cls":["a",7],"sep":["a",0]}})"),
              HasSubstr("token id 7 is outside of the vocabulary of 1"));
  EXPECT_THAT(message(R"({"model":{"vocab":{"a":0},"merges":[]},"decoder":{"type":"CTC"}})"),
              HasSubstr("decoder \"CTC\" is not supported"));
  ModelFiles none = FolderWith("");
  none.tokenizer_json.reset();
  EXPECT_THAT(Tokenizer::Load(none).error().Message(), HasSubstr("no tokenizer.json"));
}

/// GGUF files by their keys.
class GgufTest : public ::testing::Test {
 protected:
  void Strings(const std::string& key, const std::vector<std::string>& values) {
    std::string elements;
    for (const std::string& value : values) elements += Text(value);
    builder_.Add("tokenizer.ggml." + key, GgufType::kArray,
                 Array(GgufType::kString, values.size(), elements));
  }
  void String(const std::string& key, const std::string& value) {
    builder_.Add(key, GgufType::kString, Text(value));
  }
  void Number(const std::string& key, std::uint32_t value) {
    builder_.Add("tokenizer.ggml." + key, GgufType::kU32, Raw(value));
  }
  void Types(const std::vector<std::int32_t>& values) {
    std::string elements;
    for (const std::int32_t value : values) elements += Raw(value);
    builder_.Add("tokenizer.ggml.token_type", GgufType::kArray,
                 Array(GgufType::kI32, values.size(), elements));
  }
  void Scores(const std::vector<float>& values) {
    std::string elements;
    for (const float value : values) elements += Raw(value);
    builder_.Add("tokenizer.ggml.scores", GgufType::kArray,
                 Array(GgufType::kF32, values.size(), elements));
  }

  Result<Tokenizer> Load() {
    String("general.architecture", architecture_);
    const std::string path = folder_.Write("model.gguf", builder_.Build());
    formats::OpenOptions options;
    options.need_weights = false;
    const auto files = formats::Open(path, options);
    if (!files) return tl::unexpected<Error>(files.error());
    return Tokenizer::Load(*files);
  }
  std::string LoadMessage() {
    const auto tokenizer = Load();
    return tokenizer ? "loaded" : tokenizer.error().Message();
  }

  std::string architecture_ = "llama";
  GgufBuilder builder_;
  formats::testing::TempFolder folder_;
};

TEST_F(GgufTest, ByteLevelGivesTheIdsOfTheSameTokenizerJson) {
  const auto json = ParseTokenizerJson(ReadGolden("ignore-merges/tokenizer.json"), "golden");
  ASSERT_TRUE(json) << json.error().Message();
  std::vector<std::string> tokens(json->vocabulary.size());
  for (const auto& entry : json->vocabulary) {
    tokens.at(static_cast<std::size_t>(entry.id)) = std::string(json->View(entry.text));
  }
  std::vector<std::string> merges;
  for (const auto& merge : json->merges) {
    merges.push_back(std::string(json->View(merge.left)) + " " +
                     std::string(json->View(merge.right)));
  }
  String("tokenizer.ggml.model", "gpt2");
  String("tokenizer.ggml.pre", "llama-bpe");
  String("tokenizer.chat_template", "{{ messages }}");
  Strings("tokens", tokens);
  Strings("merges", merges);
  std::vector<std::int32_t> types(tokens.size(), 1);
  types[1] = types[2] = 3;
  Types(types);
  Number("bos_token_id", 1);
  Number("eos_token_id", 2);
  const auto tokenizer = Load();
  ASSERT_TRUE(tokenizer) << tokenizer.error().Message();
  EXPECT_TRUE(tokenizer->adds_bos());
  EXPECT_EQ(tokenizer->chat_template(), "{{ messages }}");
  EXPECT_THAT(tokenizer->end_of_generation(), ElementsAre(2));
  const auto reference = Tokenizer::Load(FolderWith(ReadGolden("ignore-merges/tokenizer.json")));
  ASSERT_TRUE(reference);
  // Without the texts that hold tokens which only the tokenizer.json adds.
  for (const char* text : {"Hello there, we're 1234567 strong\n\n", "<s>a</s> b", "\u4E2D\u6587"}) {
    EXPECT_EQ(tokenizer->Encode(text, {false, true}), reference->Encode(text, {false, true}));
    const auto ids = tokenizer->Encode(text);
    EXPECT_EQ(ids.front(), 1);
    EXPECT_EQ(tokenizer->Decode(std::span(ids).subspan(1)), text);
  }
  EXPECT_EQ(tokenizer->Encode("<s>", {false, true}), std::vector<TokenId>{1});
  EXPECT_GT(tokenizer->Encode("<s>", {false, false}).size(), 1u);
}

TEST_F(GgufTest, SentencePieceByScores) {
  String("tokenizer.ggml.model", "llama");
  std::vector<std::string> tokens = {"<unk>", "<s>", "</s>", "\u2581", "a", "b", "ab", "\u2581ab"};
  std::vector<std::int32_t> types = {2, 3, 3, 1, 1, 1, 1, 1};
  std::vector<float> scores = {0, 0, 0, -9, -9, -9, -1, -2};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    tokens.emplace_back(name);
    types.push_back(6);
    scores.push_back(0);
  }
  Strings("tokens", tokens);
  Types(types);
  Scores(scores);
  Number("bos_token_id", 1);
  Number("eos_token_id", 2);
  Number("unknown_token_id", 0);
  const auto tokenizer = Load();
  ASSERT_TRUE(tokenizer) << tokenizer.error().Message();
  EXPECT_THAT(tokenizer->Encode("ab ab"), ElementsAre(1, 7, 7));
  EXPECT_THAT(tokenizer->Encode(" ab", {false, true}), ElementsAre(3, 7));
  EXPECT_THAT(tokenizer->Encode("\u00E9", {false, true}), ElementsAre(3, 8 + 0xC3, 8 + 0xA9));
  EXPECT_THAT(tokenizer->Encode("a</s>b", {false, true}), ElementsAre(3, 4, 2, 3, 5));
  EXPECT_EQ(tokenizer->Decode(std::vector<TokenId>{7, 7, 8 + 0xC3, 8 + 0xA9}), "ab ab\u00E9");
  EXPECT_EQ(tokenizer->Decode(std::vector<TokenId>{1, 7, 2}, true), "ab");
  EXPECT_EQ(tokenizer->PieceBytes(7), " ab");
  EXPECT_EQ(tokenizer->PieceBytes(8 + 0xC3), "\xC3");
}

TEST_F(GgufTest, GemmaSpacesAndOrder) {
  architecture_ = "gemma3";
  String("tokenizer.ggml.model", "llama");
  Strings("tokens", {"<bos>", "\n", "\n\n", "  ", "\u2581", "a",
                     "\u2581"
                     "a"});
  Types({3, 4, 4, 4, 1, 1, 1});
  Scores({0, 0, 0, 0, 0, 0, 0});
  Number("bos_token_id", 0);
  const auto tokenizer = Load();
  ASSERT_TRUE(tokenizer) << tokenizer.error().Message();
  EXPECT_THAT(tokenizer->Encode("a  a a\n\n\n"), ElementsAre(0, 5, 3, 5, 6, 2, 1));
  EXPECT_EQ(tokenizer->Piece(3), "\u2581\u2581");
  EXPECT_EQ(tokenizer->PieceBytes(3), "  ");
}

TEST_F(GgufTest, NoTokenizer) { EXPECT_THAT(LoadMessage(), HasSubstr("holds no tokenizer")); }

TEST_F(GgufTest, UnknownModel) {
  String("tokenizer.ggml.model", "bert");
  Strings("tokens", {"a"});
  EXPECT_THAT(LoadMessage(), HasSubstr("tokenizer model \"bert\" is not supported"));
}

TEST_F(GgufTest, UnknownPreTokenizer) {
  String("tokenizer.ggml.model", "gpt2");
  String("tokenizer.ggml.pre", "no-such");
  Strings("tokens", {"a"});
  EXPECT_THAT(LoadMessage(), HasSubstr("pre-tokenizer \"no-such\" is not known"));
}

TEST_F(GgufTest, NoMerges) {
  String("tokenizer.ggml.model", "gpt2");
  Strings("tokens", {"a"});
  EXPECT_THAT(LoadMessage(), HasSubstr("tokenizer.ggml.merges"));
}

TEST_F(GgufTest, BadMerge) {
  String("tokenizer.ggml.model", "gpt2");
  Strings("tokens", {"a", "b"});
  Strings("merges", {"a b"});
  EXPECT_THAT(LoadMessage(), HasSubstr("needs \"ab\", which is no token"));
}

TEST_F(GgufTest, DuplicateTokens) {
  String("tokenizer.ggml.model", "gpt2");
  Strings("tokens", {"a", "a"});
  Strings("merges", {});
  EXPECT_THAT(LoadMessage(), HasSubstr("same string"));
}

TEST_F(GgufTest, TypesOfAnotherLength) {
  String("tokenizer.ggml.model", "gpt2");
  Strings("tokens", {"a", "b"});
  Types({1});
  EXPECT_THAT(LoadMessage(), HasSubstr("not one type for each of 2 tokens"));
}

TEST_F(GgufTest, ScoresOfAnotherLength) {
  String("tokenizer.ggml.model", "llama");
  Strings("tokens", {"a", "b"});
  Scores({1, 2, 3});
  EXPECT_THAT(LoadMessage(), HasSubstr("not one score for each of 2 tokens"));
}

TEST_F(GgufTest, IdsOutOfRange) {
  String("tokenizer.ggml.model", "gpt2");
  Strings("tokens", {"a", "b"});
  Strings("merges", {});
  Number("eos_token_id", 2);
  EXPECT_THAT(LoadMessage(), HasSubstr("tokenizer.ggml.eos_token_id: not an id"));
}

}  // namespace
}  // namespace ergo::tokenizer
