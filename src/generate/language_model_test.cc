#include "generate/language_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/default_sampling.h"
#include "generate/testing/tiny_model.h"

namespace ergo::generate {
namespace {

using ::testing::HasSubstr;

std::string Refusal(const testing::TinyFolder& folder) {
  const auto loaded = LanguageModel::Load(folder.path());
  return loaded ? "" : loaded.error().Message();
}

TEST(LanguageModel, Loads) {
  const testing::TinyFolder folder;
  const auto model = testing::LoadTiny(folder, 64);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->context(), 64U);
  EXPECT_EQ(model->tokenizer().size(), testing::kVocabulary);
  EXPECT_EQ(model->model().config().vocabulary, testing::kVocabulary);
  EXPECT_TRUE(model->HasChatTemplate());
  EXPECT_GT(model->load_ms(), 0.0);
  EXPECT_FALSE(LanguageModel::Load(folder.path() + "/none"));
}

TEST(LanguageModel, EndTokensComeFromAllFiles) {
  const testing::TinyFolder folder;
  const auto plain = testing::LoadTiny(folder);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->end_of_generation(), (std::vector<TokenId>{testing::kEos, testing::kTurnEnd}));
  folder.Write("generation_config.json", R"({"eos_token_id": [2, 77]})");
  const auto listed = testing::LoadTiny(folder);
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->end_of_generation(),
            (std::vector<TokenId>{testing::kEos, testing::kTurnEnd, 77}));
}

TEST(LanguageModel, RefusesATokenizerOfAnotherModel) {
  const testing::TinyFolder folder;
  Json more = testing::TinyFolder::ByteTokenizer();
  more["model"]["vocab"]["ab"] = testing::kVocabulary;
  folder.WriteTokenizer(more);
  EXPECT_THAT(Refusal(folder), HasSubstr("tokenizer has 212 tokens, but the model only 211"));

  Json fewer = testing::TinyFolder::ByteTokenizer();
  Json& vocabulary = fewer["model"]["vocab"];
  for (auto it = vocabulary.begin(); it != vocabulary.end();) {
    it = it->get<std::size_t>() < testing::kVocabulary / 3 ? std::next(it) : vocabulary.erase(it);
  }
  folder.WriteTokenizer(fewer);
  EXPECT_THAT(Refusal(folder), HasSubstr("tokenizer has only 70 tokens, but the model 211"));

  // Special tokens for what this model can't read, as images, do no harm.
  Json special = testing::TinyFolder::ByteTokenizer();
  special["added_tokens"].push_back(
      {{"id", testing::kVocabulary}, {"content", "<image>"}, {"special", true}});
  folder.WriteTokenizer(special);
  EXPECT_EQ(Refusal(folder), "");
}

TEST(LanguageModel, ADraftModelMustHaveTheSameVocabulary) {
  const testing::TinyFolder folder;
  const testing::TinyFolder other;
  LanguageModelOptions options;
  options.context = 64;
  options.kv_bytes = std::size_t{8} << 20;
  options.draft = other.path();
  EXPECT_TRUE(LanguageModel::Load(folder.path(), options));
  Json words = testing::TinyFolder::ByteTokenizer();
  words["model"]["vocab"].erase("a");
  words["model"]["vocab"]["aa"] = testing::TinyFolder::ByteTokenizer()["model"]["vocab"]["a"];
  other.WriteTokenizer(words);
  const auto refused = LanguageModel::Load(folder.path(), options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().Message(), HasSubstr("vocabularies differ"));
  options.draft = folder.path() + "/none";
  EXPECT_FALSE(LanguageModel::Load(folder.path(), options));
}

TEST(LanguageModel, TemplateErrorsWaitForAChat) {
  const testing::TinyFolder folder;
  folder.Write("chat_template.jinja", "{% for %}");
  const auto model = testing::LoadTiny(folder);
  ASSERT_TRUE(model);
  const auto text = model->RenderChat({OrderedJson::array(), {}, {}, true});
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().Message(), HasSubstr("chat template"));
}

TEST(LanguageModel, TemplatesSeeTheirVariables) {
  const testing::TinyFolder folder;
  folder.Write("chat_template.jinja",
               "{{ bos_token }}|{{ eos_token }}|{{ tools is none }}|{{ mood }}|"
               "{{ messages | length }}|{{ add_generation_prompt }}");
  const auto model = testing::LoadTiny(folder);
  ASSERT_TRUE(model);
  const auto text = model->RenderChat(
      {OrderedJson::array({1, 2}), {}, OrderedJson{{"mood", "calm"}, {"eos_token", "E"}}, false});
  ASSERT_TRUE(text) << text.error().Message();
  EXPECT_EQ(*text, "<s>|E|True|calm|2|False");
}

runtime::SamplingParams Defaults(const char* generation_config) {
  formats::ModelFiles files;
  files.kind = formats::ModelFiles::Kind::kHuggingFace;
  if (generation_config != nullptr) files.generation_config = Json::parse(generation_config);
  const auto params = ReadDefaultSampling(files);
  EXPECT_TRUE(params) << params.error().Message();
  return params.value_or(runtime::SamplingParams{});
}

TEST(DefaultSampling, FollowsGenerationConfig) {
  EXPECT_EQ(Defaults(nullptr).temperature, 0.0f);
  EXPECT_EQ(Defaults("{}").temperature, 0.0f);
  EXPECT_EQ(Defaults(R"({"do_sample": true})").temperature, 1.0f);
  EXPECT_EQ(Defaults(R"({"temperature": 0.6})").temperature, 0.6f);
  const auto params = Defaults(
      R"({"do_sample": true, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "min_p": null,
          "repetition_penalty": 1.1})");
  EXPECT_EQ(params.temperature, 0.7f);
  EXPECT_EQ(params.top_k, 20);
  EXPECT_EQ(params.top_p, 0.8f);
  EXPECT_EQ(params.min_p, 0.0f);
  EXPECT_EQ(params.repetition_penalty, 1.1f);
  const auto greedy = Defaults(R"({"do_sample": false, "temperature": 0.7})");
  EXPECT_EQ(greedy.temperature, 0.0f);
  EXPECT_EQ(Defaults(R"({"repetition_penalty": 1.1})").temperature, 0.0f);
}

TEST(DefaultSampling, NamesWhatIsWrong) {
  for (const char* bad : {R"({"temperature": "hot"})", R"({"temperature": -1})",
                          R"({"top_k": 1.5})", R"({"top_k": -3})", R"({"top_p": 2})",
                          R"({"do_sample": 1})", R"({"repetition_penalty": 0})"}) {
    formats::ModelFiles files;
    files.kind = formats::ModelFiles::Kind::kHuggingFace;
    files.path = "some/folder";
    files.generation_config = Json::parse(bad);
    const auto params = ReadDefaultSampling(files);
    ASSERT_FALSE(params) << bad;
    EXPECT_THAT(params.error().Message(), HasSubstr("some/folder/generation_config.json")) << bad;
    EXPECT_FALSE(params.error().remedy.empty()) << bad;
  }
}

TEST(DefaultSampling, ReadsGgufKeys) {
  const float temperature = 0.6f;
  const std::int32_t top_k = 64;
  formats::ModelFiles files;
  files.gguf["general.sampling.temp"] = {formats::GgufType::kF32, formats::GgufType::kU8, 1,
                                         std::as_bytes(std::span(&temperature, 1))};
  files.gguf["general.sampling.top_k"] = {formats::GgufType::kI32, formats::GgufType::kU8, 1,
                                          std::as_bytes(std::span(&top_k, 1))};
  const auto params = ReadDefaultSampling(files);
  ASSERT_TRUE(params) << params.error().Message();
  EXPECT_EQ(params->temperature, 0.6f);
  EXPECT_EQ(params->top_k, 64);
}

}  // namespace
}  // namespace ergo::generate
