// Options of models and sequences that need a model of their own, and looking inside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ergo/ergo.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "generate/testing/tiny_model.h"

namespace ergo::capi {
namespace {

namespace fs = std::filesystem;
using api::Model;
using api::Tokens;
using generate::testing::TinyFolder;
using ::testing::HasSubstr;

api::ModelOptions Options() {
  api::ModelOptions options;
  options.context = 256;
  options.reference = 1;
  options.kv_memory = std::uint64_t{16} << 20;
  return options;
}

Model LoadWith(const TinyFolder& folder, const api::ModelOptions& options = Options()) {
  return Model(folder.path(), options);
}

const Tokens kTokens = {1, 40, 41, 42, 43, 44, 45, 46};

TEST(CapiModel, PrefixesOutliveTheModel) {
  const TinyFolder folder;
  const std::string store = folder.path() + "/prefixes";
  std::vector<std::string> warnings;
  api::ModelOptions options = Options();
  options.kv_dir = store.c_str();
  options.kv_disk = std::uint64_t{1} << 20;
  options.on_warning = [](const char* message, void* user) {
    static_cast<std::vector<std::string>*>(user)->push_back(message);
  };
  options.on_warning_user = &warnings;
  Tokens prompt(200, 50);
  for (std::size_t i = 0; i < prompt.size(); ++i) prompt[i] += static_cast<std::int32_t>(i % 40);
  std::uint64_t hits[2] = {};
  for (std::uint64_t& hit : hits) {
    const Model model = LoadWith(folder, options);
    api::SequenceOptions wanted;
    wanted.max_tokens = 2;
    model.Submit(prompt, wanted).Generate();
    hit = model.stats().prefix_hits;
  }
  EXPECT_EQ(hits[0], 0u);
  EXPECT_GE(hits[1], 128u);
  EXPECT_TRUE(warnings.empty());

  // A file in the folder's place can't be a folder.
  const std::string file = folder.path() + "/file";
  std::ofstream(file) << "x";
  options.kv_dir = file.c_str();
  LoadWith(folder, options);
  ASSERT_FALSE(warnings.empty());
  EXPECT_THAT(warnings[0], HasSubstr("file"));
}

TEST(CapiModel, ThoughtsHaveABudget) {
  const TinyFolder folder;
  folder.MarkThoughts();
  const Model model = LoadWith(folder);
  const Tokens prompt = model.Tokenize("Tell me <think>");
  const Tokens closing = model.Tokenize("</think>", ERGO_PARSE_SPECIAL);
  ASSERT_EQ(closing.size(), 1u);
  api::SequenceOptions options;
  options.max_tokens = 40;
  options.ignore_end = 1;
  const api::Constraint letters = model.Regex("[a-h]{6}");
  options.Constrain(letters);
  const auto thought_of = [&](api::Sequence& sequence) {
    sequence.Generate();
    const Tokens all = sequence.tokens();
    const auto end = std::find(all.begin(), all.end(), closing[0]);
    EXPECT_NE(end, all.end());
    // The constraint is one on the answer.
    EXPECT_EQ(model.Detokenize(Tokens(end + 1, all.end())).find_first_not_of("abcdefgh"),
              std::string::npos);
    return end - all.begin() - static_cast<std::ptrdiff_t>(prompt.size());
  };
  options.think_budget = 10;
  api::Sequence parent = model.Submit(prompt, options);
  const auto thought = thought_of(parent);
  EXPECT_GT(thought, 0);
  EXPECT_LE(thought, 10);
  // What the parent has thought counts for a branch.
  api::Sequence branch = parent.Fork({}, prompt.size() + 2);
  EXPECT_LE(thought_of(branch), 10);
  options.think_budget = -2;
  EXPECT_THROW(model.Submit(prompt, options), api::Error);
}

TEST(CapiModel, LooksInside) {
  const TinyFolder folder;
  const Model model = LoadWith(folder);
  const std::uint64_t positions[] = {7, 2};
  const std::uint64_t layers[] = {1};
  api::InspectOptions options;
  options.positions = positions;
  options.position_count = 2;
  options.hidden_layers = layers;
  options.hidden_layer_count = 1;
  options.attention_layers = layers;
  options.attention_layer_count = 1;
  options.alternatives = 4;
  const api::Inspection seen = model.Inspect(kTokens, options);
  EXPECT_EQ(seen->tokens, 8u);
  EXPECT_EQ(seen->positions, 2u);
  EXPECT_EQ(seen->hidden_layers, 1u);
  EXPECT_EQ(seen->width, 24u);
  EXPECT_EQ(seen->heads, 6u);
  for (std::size_t row = 0; row < 12; ++row) {
    double sum = 0.0;
    for (std::size_t t = 0; t < 8; ++t) sum += static_cast<double>(seen->attention[row * 8 + t]);
    EXPECT_NEAR(sum, 1.0, 1e-5);
    EXPECT_EQ(seen->attention[row * 8 + 3] == 0.0f, row % 2 == 1);  // position 2 sees 0 to 2
  }
  EXPECT_TRUE(std::isnan(seen->next_logprobs[0]));
  EXPECT_EQ(seen->alternative_count, 4u);

  // The same as what scoring says.
  api::SequenceOptions root;
  root.max_tokens = 0;
  api::Sequence sequence = model.Submit({kTokens.data(), 3}, root);
  const std::vector<Tokens> next = {{kTokens[3]}, {seen->alternatives[4].token}};
  const auto scores = sequence.Score(next);
  EXPECT_NEAR(seen->next_logprobs[1], scores[0][0], 1e-5);
  EXPECT_NEAR(seen->alternatives[4].logprob, scores[1][0], 1e-5);

  const api::Inspection nothing = model.Inspect(kTokens, api::InspectOptions());
  EXPECT_EQ(nothing->hidden, nullptr);
  EXPECT_EQ(nothing->attention, nullptr);
  EXPECT_EQ(nothing->entropies, nullptr);
}

TEST(CapiModel, RefusesToLookWhereNothingIs) {
  const TinyFolder folder;
  const Model model = LoadWith(folder);
  const auto refusal = [&](const Tokens& tokens, const api::InspectOptions& options) {
    try {
      model.Inspect(tokens, options);
    } catch (const api::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::uint64_t number = 9;
  api::InspectOptions options;
  EXPECT_THAT(refusal({}, options), HasSubstr("at least one"));
  EXPECT_THAT(refusal({1, 999}, options), HasSubstr("999"));
  options.heads = &number;
  options.head_count = 1;
  EXPECT_THAT(refusal(kTokens, options), HasSubstr("head 9"));
  options = {};
  options.position_count = 1;
  EXPECT_THAT(refusal(kTokens, options), HasSubstr("positions"));
  options = {};
  options.size = 3;
  EXPECT_THAT(refusal(kTokens, options), HasSubstr("size"));
  options = {};
  options.expectations = 1;
  options.most_bytes = 1;
  EXPECT_THAT(refusal(kTokens, options), HasSubstr("limit"));
  ergo_error* error = nullptr;
  EXPECT_EQ(ergo_inspect(nullptr, kTokens.data(), 1, nullptr, &error), nullptr);
  EXPECT_EQ(ergo_error_status(error), ERGO_INVALID);
  ergo_error_free(error);
  EXPECT_EQ(ergo_inspection_get(nullptr, nullptr, nullptr), ERGO_INVALID);
  ergo_inspection_free(nullptr);
}

}  // namespace
}  // namespace ergo::capi
