#include <ergo/ergo.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "generate/testing/tiny_model.h"

namespace ergo::capi {
namespace {

using Tokens = std::vector<std::int32_t>;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using ModelPtr = std::unique_ptr<ergo_model, Freer<ergo_model_free>>;
using SequencePtr = std::unique_ptr<ergo_sequence, Freer<ergo_sequence_free>>;
using ConstraintPtr = std::unique_ptr<ergo_constraint, Freer<ergo_constraint_free>>;

/// An error parameter that frees what it got.
class Caught {
 public:
  ~Caught() { ergo_error_free(error_); }
  ergo_error** operator&() {  // NOLINT(google-runtime-operator)
    ergo_error_free(error_);
    error_ = nullptr;
    return &error_;
  }
  ergo_status status() const { return ergo_error_status(error_); }
  std::string message() const { return ergo_error_message(error_); }
  std::string where() const { return ergo_error_where(error_); }

 private:
  ergo_error* error_ = nullptr;
};

class CapiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ergo_model_options options;
    ergo_model_options_init(&options, sizeof(options));
    options.context = 256;
    options.reference = 1;
    options.kv_memory = std::uint64_t{16} << 20;
    model_.reset(ergo_model_load(folder_.path().c_str(), &options, &error_));
    ASSERT_NE(model_, nullptr) << error_.message();
  }

  ergo_sequence_options Options(std::uint64_t max_tokens, std::uint64_t seed = 7) const {
    ergo_sequence_options options;
    ergo_sequence_options_init(nullptr, &options, sizeof(options));
    options.max_tokens = max_tokens;
    options.seed = seed;
    options.ignore_end = 1;
    return options;
  }
  SequencePtr Submit(const Tokens& tokens, const ergo_sequence_options& options) {
    SequencePtr made(ergo_submit(model_.get(), tokens.data(), tokens.size(), &options, &error_));
    EXPECT_NE(made, nullptr) << error_.message();
    return made;
  }
  SequencePtr Fork(const SequencePtr& parent, const Tokens& appended,
                   const ergo_sequence_options* options, std::size_t position = ERGO_HERE) {
    SequencePtr made(
        ergo_fork(parent.get(), position, appended.data(), appended.size(), options, &error_));
    EXPECT_NE(made, nullptr) << error_.message();
    return made;
  }
  Tokens Read(const SequencePtr& sequence, int32_t reason = ERGO_END_LENGTH) {
    ergo_end end = {};
    end.size = sizeof(end);
    EXPECT_EQ(ergo_generate(sequence.get(), nullptr, nullptr, &end, &error_), ERGO_OK)
        << error_.message();
    EXPECT_EQ(end.reason, reason);
    return All(sequence);
  }
  Tokens All(const SequencePtr& sequence) {
    std::int32_t* tokens = nullptr;
    std::size_t count = 0;
    EXPECT_EQ(ergo_sequence_get_tokens(sequence.get(), &tokens, &count, &error_), ERGO_OK);
    Tokens all(tokens, tokens + count);
    ergo_tokens_free(tokens);
    return all;
  }
  std::string Text(const Tokens& tokens) {
    char* text = ergo_detokenize(model_.get(), tokens.data(), tokens.size(), 0, nullptr, &error_);
    std::string copy = text != nullptr ? text : "";
    ergo_string_free(text);
    return copy;
  }

  generate::testing::TinyFolder folder_;
  Caught error_;
  ModelPtr model_;
};

const Tokens kPrompt = {1, 40, 41, 42, 43, 44};

TEST_F(CapiTest, SaysWhatItIs) {
  EXPECT_STREQ(ergo_version(), "0.1.0");
  EXPECT_EQ(ergo_version_number(), 100);
  ergo_model_info info = {};
  info.size = sizeof(info);
  ASSERT_EQ(ergo_model_get_info(model_.get(), &info, &error_), ERGO_OK);
  EXPECT_EQ(info.size, sizeof(info));
  EXPECT_EQ(info.vocabulary, generate::testing::kVocabulary);
  EXPECT_EQ(info.context, 256u);
  EXPECT_EQ(info.bos, generate::testing::kBos);
  EXPECT_EQ(info.eos, generate::testing::kEos);
  EXPECT_EQ(info.has_chat_template, 1);
}

TEST_F(CapiTest, TokensAndTextGoBothWays) {
  std::int32_t* tokens = nullptr;
  std::size_t count = 0;
  ASSERT_EQ(ergo_tokenize(model_.get(), "Hi there", 2, ERGO_ADD_SPECIAL, &tokens, &count, &error_),
            ERGO_OK);
  ASSERT_EQ(count, 3u);
  EXPECT_EQ(tokens[0], generate::testing::kBos);
  EXPECT_EQ(Text(Tokens(tokens, tokens + count)), "Hi");
  ergo_tokens_free(tokens);
  ASSERT_EQ(ergo_tokenize(model_.get(), "", ERGO_TO_NUL, 0, &tokens, &count, &error_), ERGO_OK);
  EXPECT_EQ(count, 0u);
  ergo_tokens_free(tokens);
}

TEST_F(CapiTest, RendersChats) {
  char* text =
      ergo_render_chat(model_.get(), R"([{"role": "user", "content": "Hi"}])", nullptr, &error_);
  ASSERT_NE(text, nullptr) << error_.message();
  EXPECT_STREQ(text, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  ergo_string_free(text);
  for (const char* bad : {"", "{", "{}", "[1", "\"\xff\"", "[{\"role\": 1,}]"}) {
    EXPECT_EQ(ergo_render_chat(model_.get(), bad, nullptr, &error_), nullptr) << bad;
    EXPECT_EQ(error_.status(), ERGO_INVALID) << bad;
    EXPECT_EQ(error_.message().find("messages"), 0u) << error_.message();
  }
  text = ergo_json_string("a\"b\n", ERGO_TO_NUL, &error_);
  EXPECT_STREQ(text, R"("a\"b\n")");
  ergo_string_free(text);
}

TEST_F(CapiTest, TheSameSeedDrawsTheSame) {
  const Tokens first = Read(Submit(kPrompt, Options(20)));
  EXPECT_EQ(first.size(), kPrompt.size() + 20);
  EXPECT_EQ(Read(Submit(kPrompt, Options(20))), first);
  EXPECT_NE(Read(Submit(kPrompt, Options(20, 8))), first);
}

TEST_F(CapiTest, ABranchGoesOnAsASequenceOfItsOwnWould) {
  const SequencePtr parent = Submit(kPrompt, Options(20));
  const Tokens whole = Read(parent);
  for (const std::size_t position : {std::size_t{1}, kPrompt.size(), kPrompt.size() + 9}) {
    Tokens alone(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(position));
    alone.push_back(77);
    const ergo_sequence_options options = Options(12, 3);
    EXPECT_EQ(Read(Fork(parent, {77}, &options, position)), Read(Submit(alone, options)));
  }
  // By default each branch has another seed, which is always the same one.
  const SequencePtr again = Submit(kPrompt, Options(20));
  const Tokens a = Read(Fork(again, {}, nullptr, kPrompt.size()));
  const Tokens b = Read(Fork(again, {}, nullptr, kPrompt.size()));
  EXPECT_NE(a, b);
  const SequencePtr third = Submit(kPrompt, Options(20));
  EXPECT_EQ(Read(Fork(third, {}, nullptr, kPrompt.size())), a);
}

TEST_F(CapiTest, ARootDrawsNothingAndIsForkedAndScored) {
  const SequencePtr root = Submit(kPrompt, Options(0));
  EXPECT_EQ(Read(root), kPrompt);
  const ergo_sequence_options options = Options(5);
  EXPECT_EQ(Read(Fork(root, {}, &options)), Read(Submit(kPrompt, options)));
  EXPECT_EQ(ergo_sequence_position(root.get()), kPrompt.size());
}

TEST_F(CapiTest, ScoresAreTheLogprobsOfWhatIsDrawn) {
  Tokens drawn;
  std::vector<float> logprobs;
  const SequencePtr sequence = Submit(kPrompt, Options(6));
  const ergo_token* token = nullptr;
  while (ergo_sequence_next(sequence.get(), -1.0, &token, &error_) == ERGO_OK) {
    drawn.push_back(token->id);
    logprobs.push_back(token->logprob);
  }
  ASSERT_EQ(drawn.size(), 6u);
  const SequencePtr root = Submit(kPrompt, Options(0));
  const Tokens one = {drawn[0]};
  const ergo_continuation given[] = {{drawn.data(), drawn.size()}, {nullptr, 0}, {one.data(), 1}};
  std::vector<float> scores(7);
  ASSERT_EQ(ergo_score(root.get(), given, 3, scores.data(), scores.size(), &error_), ERGO_OK)
      << error_.message();
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(scores[i], logprobs[i], 1e-5f) << i;
  EXPECT_EQ(scores[6], scores[0]);
  // On a sequence whose engine may be ahead, scores are of where the reader stands.
  const SequencePtr running = Submit(kPrompt, Options(40));
  std::vector<float> here(7);
  ASSERT_EQ(ergo_score(running.get(), given, 3, here.data(), here.size(), &error_), ERGO_OK);
  EXPECT_EQ(here, scores);
}

TEST_F(CapiTest, TheCallbackSeesTextAndStops) {
  struct Seen {
    std::string text;
    int calls = 0;
    float worst = 0.0f;
  } seen;
  ergo_sequence_options options = Options(100);
  options.logprobs = 3;
  const SequencePtr sequence = Submit(kPrompt, options);
  const auto take = [](const ergo_token* token, void* user) {
    auto* out = static_cast<Seen*>(user);
    out->text.append(token->text, token->text_length);
    EXPECT_EQ(token->alternative_count, 3u);
    EXPECT_GE(token->alternatives[0].logprob, token->alternatives[2].logprob);
    out->worst = std::min(out->worst, token->logprob);
    return ++out->calls == 10 ? 1 : 0;
  };
  ergo_end end = {};
  end.size = sizeof(end);
  ASSERT_EQ(ergo_generate(sequence.get(), take, &seen, &end, &error_), ERGO_OK);
  EXPECT_EQ(seen.calls, 10);
  EXPECT_EQ(end.reason, ERGO_END_STOPPED);
  EXPECT_EQ(end.read_tokens, 10u);
  EXPECT_EQ(end.given_tokens, kPrompt.size());
  EXPECT_LT(seen.worst, 0.0f);
  Tokens all = All(sequence);
  ASSERT_EQ(all.size(), kPrompt.size() + 10);
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kPrompt.size()));
  EXPECT_EQ(Text(all).find(seen.text), 0u);
  // What ended can be branched, from where its reader stopped.
  options.max_tokens = 3;
  EXPECT_EQ(Read(Fork(sequence, {}, &options)).size(), kPrompt.size() + 13);
}

TEST_F(CapiTest, ChildrenOutliveADroppedParent) {
  SequencePtr parent = Submit(kPrompt, Options(0));
  const ergo_sequence_options options = Options(30);
  const SequencePtr child = Fork(parent, {50}, &options);
  ergo_sequence_drop(parent.get());
  ergo_sequence_drop(parent.get());
  EXPECT_EQ(ergo_fork(parent.get(), ERGO_HERE, nullptr, 0, nullptr, &error_), nullptr);
  EXPECT_EQ(error_.status(), ERGO_FAILED);
  EXPECT_NE(error_.message().find("dropped"), std::string::npos);
  const ergo_continuation one = {kPrompt.data(), 1};
  float score = 0.0f;
  EXPECT_EQ(ergo_score(parent.get(), &one, 1, &score, 1, &error_), ERGO_FAILED);
  EXPECT_EQ(All(parent), kPrompt);
  parent.reset();
  model_.reset();  // sequences keep their model
  EXPECT_EQ(Read(child).size(), kPrompt.size() + 31);
}

TEST_F(CapiTest, NullHandlesAreErrors) {
  std::int32_t* tokens = nullptr;
  std::size_t count = 0;
  const ergo_token* token = nullptr;
  ergo_stats stats = {};
  EXPECT_EQ(ergo_model_load(nullptr, nullptr, &error_), nullptr);
  EXPECT_EQ(error_.status(), ERGO_INVALID);
  EXPECT_EQ(error_.where(), "path");
  EXPECT_EQ(ergo_model_load(nullptr, nullptr, nullptr), nullptr);
  EXPECT_EQ(ergo_tokenize(nullptr, "a", 1, 0, &tokens, &count, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_tokenize(model_.get(), nullptr, 1, 0, &tokens, &count, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_tokenize(model_.get(), "a", 1, 0, nullptr, &count, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_tokenize(model_.get(), "a", 1, 64, &tokens, &count, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_detokenize(nullptr, nullptr, 0, 0, nullptr, &error_), nullptr);
  EXPECT_EQ(ergo_render_chat(model_.get(), nullptr, nullptr, &error_), nullptr);
  EXPECT_EQ(ergo_submit(nullptr, kPrompt.data(), 1, nullptr, &error_), nullptr);
  EXPECT_EQ(ergo_submit(model_.get(), nullptr, 3, nullptr, &error_), nullptr);
  EXPECT_EQ(error_.where(), "tokens");
  EXPECT_EQ(ergo_submit_text(model_.get(), nullptr, 3, nullptr, &error_), nullptr);
  EXPECT_EQ(ergo_fork(nullptr, 0, nullptr, 0, nullptr, &error_), nullptr);
  EXPECT_EQ(ergo_generate(nullptr, nullptr, nullptr, nullptr, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_sequence_next(nullptr, 0, &token, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_score(nullptr, nullptr, 0, nullptr, 0, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_model_get_stats(nullptr, &stats, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_model_get_stats(model_.get(), nullptr, &error_), ERGO_INVALID);
  EXPECT_EQ(ergo_constraint_regex(nullptr, "a", &error_), nullptr);
  EXPECT_EQ(ergo_constraint_choices(model_.get(), nullptr, 2, &error_), nullptr);
  EXPECT_EQ(error_.status(), ERGO_INVALID);
  ergo_stop(nullptr);
  ergo_sequence_drop(nullptr);
  ergo_sequence_free(nullptr);
  ergo_model_free(nullptr);
  ergo_constraint_free(nullptr);
  ergo_error_free(nullptr);
  ergo_string_free(nullptr);
  ergo_tokens_free(nullptr);
  EXPECT_EQ(ergo_sequence_position(nullptr), 0u);
  EXPECT_EQ(ergo_error_status(nullptr), ERGO_OK);
  EXPECT_STREQ(ergo_error_remedy(nullptr), "");
}

TEST_F(CapiTest, SizesThatCannotBeAreErrors) {
  ergo_model_info info = {};
  EXPECT_EQ(ergo_model_get_info(model_.get(), &info, &error_), ERGO_INVALID);
  EXPECT_EQ(error_.where(), "info");
  info.size = 1 << 20;
  EXPECT_EQ(ergo_model_get_info(model_.get(), &info, &error_), ERGO_INVALID);
  ergo_sequence_options options = {};
  EXPECT_EQ(ergo_submit(model_.get(), kPrompt.data(), 1, &options, &error_), nullptr);
  EXPECT_EQ(error_.where(), "options");
  const SequencePtr root = Submit(kPrompt, Options(0));
  const ergo_continuation one = {kPrompt.data(), 2};
  float scores[3] = {};
  EXPECT_EQ(ergo_score(root.get(), &one, 1, scores, 3, &error_), ERGO_INVALID);
  EXPECT_EQ(error_.where(), "logprob_count");
  EXPECT_EQ(ergo_score(root.get(), &one, 1, nullptr, 2, &error_), ERGO_INVALID);
}

TEST_F(CapiTest, LaterVersionsOfStructsWork) {
  struct Later {
    ergo_sequence_options now;
    std::uint64_t new_option;
  } later;
  ergo_sequence_options_init(model_.get(), &later.now, sizeof(later));
  EXPECT_EQ(later.now.size, sizeof(later));
  EXPECT_EQ(later.new_option, 0u);
  later.now.max_tokens = 2;
  SequencePtr made(ergo_submit(model_.get(), kPrompt.data(), 3, &later.now, &error_));
  EXPECT_NE(made, nullptr) << error_.message();
  later.new_option = 1;
  EXPECT_EQ(ergo_submit(model_.get(), kPrompt.data(), 3, &later.now, &error_), nullptr);
  EXPECT_EQ(error_.status(), ERGO_INVALID);
}

TEST_F(CapiTest, MissingFilesAndBadOptionsAreErrors) {
  EXPECT_EQ(ergo_model_load("/nowhere/model.gguf", nullptr, &error_), nullptr);
  EXPECT_EQ(error_.status(), ERGO_FAILED);
  EXPECT_NE(error_.message().find("/nowhere/model.gguf"), std::string::npos);
  EXPECT_EQ(ergo_model_load("", nullptr, &error_), nullptr);
  EXPECT_EQ(ergo_model_load("\xff", nullptr, &error_), nullptr);
  EXPECT_EQ(error_.status(), ERGO_INVALID);
  ergo_model_options options;
  ergo_model_options_init(&options, sizeof(options));
  options.quantization = "int3";
  EXPECT_EQ(ergo_model_load(folder_.path().c_str(), &options, &error_), nullptr);
  EXPECT_EQ(error_.where(), "quantization");
  options.quantization = nullptr;
  options.kv_type = "int5";
  EXPECT_EQ(ergo_model_load(folder_.path().c_str(), &options, &error_), nullptr);
  EXPECT_EQ(error_.where(), "kv_type");
  options.kv_type = nullptr;
  options.threads = -1;
  EXPECT_EQ(ergo_model_load(folder_.path().c_str(), &options, &error_), nullptr);
  EXPECT_EQ(error_.where(), "threads");
}

TEST_F(CapiTest, BadRequestsAreErrors) {
  const auto refused = [&](const Tokens& tokens, const ergo_sequence_options& options) {
    const SequencePtr made(
        ergo_submit(model_.get(), tokens.data(), tokens.size(), &options, &error_));
    return made == nullptr;
  };
  EXPECT_TRUE(refused({}, Options(1)));
  EXPECT_TRUE(refused({-1}, Options(1)));
  EXPECT_TRUE(refused({100000}, Options(1)));
  EXPECT_TRUE(refused(Tokens(257, 40), Options(1)));
  ergo_sequence_options options = Options(1);
  options.temperature = NAN;
  EXPECT_TRUE(refused(kPrompt, options));
  options = Options(1);
  options.top_p = 2.0f;
  EXPECT_TRUE(refused(kPrompt, options));
  options = Options(1);
  options.deadline_seconds = -1.0;
  EXPECT_TRUE(refused(kPrompt, options));
  options = Options(1);
  options.unread = -5;
  EXPECT_TRUE(refused(kPrompt, options));
  options = Options(1);
  const std::int32_t unknown = 5000;
  options.stop_tokens = &unknown;
  options.stop_token_count = 1;
  EXPECT_TRUE(refused(kPrompt, options));
  EXPECT_EQ(error_.status(), ERGO_INVALID);
  std::int32_t* tokens = nullptr;
  std::size_t count = 0;
  EXPECT_EQ(ergo_tokenize(model_.get(), "a\xff", 2, 0, &tokens, &count, &error_), ERGO_INVALID);
  EXPECT_NE(error_.message().find("byte 1"), std::string::npos) << error_.message();
  EXPECT_EQ(ergo_submit_text(model_.get(), "\xc3", 1, nullptr, &error_), nullptr);
  const SequencePtr sequence = Submit(kPrompt, Options(3));
  EXPECT_EQ(ergo_fork(sequence.get(), kPrompt.size() + 1, nullptr, 0, nullptr, &error_), nullptr);
  EXPECT_EQ(error_.where(), "position");
  ergo_end end = {};
  end.size = sizeof(end);
  EXPECT_EQ(ergo_sequence_get_end(sequence.get(), &end, &error_), ERGO_FAILED);
  Read(sequence);
  EXPECT_EQ(ergo_sequence_get_end(sequence.get(), &end, &error_), ERGO_OK);
  EXPECT_EQ(end.reason, ERGO_END_LENGTH);
  const Tokens many(300, 40);
  const ergo_continuation one = {many.data(), many.size()};
  std::vector<float> scores(300);
  EXPECT_LT(ergo_score(sequence.get(), &one, 1, scores.data(), 300, &error_), 0);
}

TEST_F(CapiTest, ConstraintsHoldAndGoOnInBranches) {
  const ConstraintPtr digits(ergo_constraint_regex(model_.get(), "[0-9]{4}-[a-z]{4}", &error_));
  ASSERT_NE(digits, nullptr) << error_.message();
  ergo_sequence_options options = Options(ERGO_NO_LIMIT);
  options.ignore_end = 0;
  options.constraint = digits.get();
  const auto drawn_by = [&](const SequencePtr& sequence, std::size_t given) {
    Tokens all;
    EXPECT_EQ(ergo_generate(sequence.get(), nullptr, nullptr, nullptr, &error_), ERGO_OK);
    all = All(sequence);
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(given));
    return Text(all);
  };
  const SequencePtr parent = Submit(kPrompt, options);
  const std::string text = drawn_by(parent, kPrompt.size());
  ASSERT_EQ(text.size(), 9u) << text;
  EXPECT_EQ(text.find_first_not_of("0123456789"), 4u);
  EXPECT_EQ(text[4], '-');
  // A branch in the midst of the text completes it.
  options.seed = 99;
  const SequencePtr branch = Fork(parent, {}, &options, kPrompt.size() + 2);
  const std::string rest = drawn_by(branch, kPrompt.size());
  ASSERT_EQ(rest.size(), 9u) << rest;
  EXPECT_EQ(rest.substr(0, 2), text.substr(0, 2));
  EXPECT_EQ(rest[4], '-');
  // What is appended must go on with it.
  const Tokens all = All(parent);
  const Tokens letter = {all[kPrompt.size() + 5]};
  EXPECT_EQ(ergo_fork(parent.get(), kPrompt.size() + 2, letter.data(), 1, &options, &error_),
            nullptr);
  EXPECT_EQ(error_.where(), "appended");
  // Without a constraint a branch is free.
  const ergo_sequence_options free = Options(40, 3);
  EXPECT_EQ(drawn_by(Fork(parent, {}, &free), all.size()).empty(), false);
}

TEST_F(CapiTest, BadConstraintsAreErrors) {
  const char* const choices[] = {"yes", "no"};
  const ConstraintPtr choice(ergo_constraint_choices(model_.get(), choices, 2, &error_));
  ASSERT_NE(choice, nullptr) << error_.message();
  const ConstraintPtr schema(
      ergo_constraint_json_schema(model_.get(), R"({"type": "boolean"})", &error_));
  EXPECT_NE(schema, nullptr) << error_.message();
  const ConstraintPtr grammar(ergo_constraint_grammar(model_.get(), "root ::= \"a\"+", &error_));
  EXPECT_NE(grammar, nullptr) << error_.message();
  EXPECT_EQ(ergo_constraint_choices(model_.get(), choices, 0, &error_), nullptr);
  EXPECT_EQ(ergo_constraint_regex(model_.get(), "(", &error_), nullptr);
  EXPECT_EQ(ergo_constraint_regex(model_.get(), "\xff", &error_), nullptr);
  EXPECT_EQ(ergo_constraint_grammar(model_.get(), "root ::= gone", &error_), nullptr);
  EXPECT_EQ(ergo_constraint_json_schema(model_.get(), "{", &error_), nullptr);
  EXPECT_EQ(error_.status(), ERGO_INVALID);
  ergo_model_options options;
  ergo_model_options_init(&options, sizeof(options));
  options.reference = 1;
  options.kv_memory = 1 << 20;
  options.context = 128;
  const ModelPtr other(ergo_model_load(folder_.path().c_str(), &options, &error_));
  ASSERT_NE(other, nullptr) << error_.message();
  ergo_sequence_options wanted = Options(1);
  wanted.constraint = choice.get();
  EXPECT_EQ(ergo_submit(other.get(), kPrompt.data(), 1, &wanted, &error_), nullptr);
  EXPECT_EQ(error_.where(), "constraint");
}

TEST_F(CapiTest, StopsFromAnotherThreadAndRefusesASecondReader) {
  struct Reading {
    std::atomic<int> calls{0};
    std::atomic<bool> stopped{false};
  } reading;
  ergo_sequence_options options = Options(ERGO_NO_LIMIT);
  options.unread = 1;  // the engine cannot run ahead
  const SequencePtr sequence = Submit(kPrompt, options);
  ergo_end end = {};
  end.size = sizeof(end);
  std::thread reader([&] {
    const auto take = [](const ergo_token*, void* user) {
      auto* shared = static_cast<Reading*>(user);
      ++shared->calls;
      while (!shared->stopped) std::this_thread::yield();
      return 0;
    };
    ergo_generate(sequence.get(), take, &reading, &end, nullptr);
  });
  while (reading.calls == 0) std::this_thread::yield();
  const ergo_token* token = nullptr;
  EXPECT_EQ(ergo_sequence_next(sequence.get(), 0.0, &token, &error_), ERGO_BUSY);
  EXPECT_EQ(ergo_generate(sequence.get(), nullptr, nullptr, nullptr, &error_), ERGO_BUSY);
  const ergo_sequence_options few = Options(4);
  const SequencePtr branch = Fork(sequence, {}, &few);
  ergo_stop(sequence.get());
  reading.stopped = true;
  reader.join();
  EXPECT_EQ(end.reason, ERGO_END_STOPPED);
  EXPECT_LT(end.read_tokens, 20u);
  EXPECT_EQ(Read(branch).size(), kPrompt.size() + 1 + 4);
}

TEST_F(CapiTest, ManyThreadsGetWhatOneWouldGet) {
  const SequencePtr root = Submit(kPrompt, Options(0));
  std::vector<Tokens> expected;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    expected.push_back(Read(Submit(kPrompt, Options(16, seed))));
  }
  std::vector<Tokens> found(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < found.size(); ++i) {
    threads.emplace_back([&, i] {
      const ergo_sequence_options options = Options(16, i % 4);
      const SequencePtr mine(ergo_fork(root.get(), ERGO_HERE, nullptr, 0, &options, nullptr));
      if (mine == nullptr) return;
      ergo_generate(mine.get(), nullptr, nullptr, nullptr, nullptr);
      std::int32_t* tokens = nullptr;
      std::size_t count = 0;
      ergo_sequence_get_tokens(mine.get(), &tokens, &count, nullptr);
      found[i].assign(tokens, tokens + count);
      ergo_tokens_free(tokens);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], expected[i % 4]) << i;
  ergo_stats stats = {};
  stats.size = sizeof(stats);
  ASSERT_EQ(ergo_model_get_stats(model_.get(), &stats, &error_), ERGO_OK);
  EXPECT_GE(stats.forks, 8u);
  EXPECT_GE(stats.drawn_tokens, 12u * 16u);
  EXPECT_EQ(stats.running, 0u);
}

TEST_F(CapiTest, NextTimesOut) {
  ergo_sequence_options options = Options(2);
  const SequencePtr sequence = Submit(kPrompt, options);
  const ergo_token* token = nullptr;
  int read = 0;
  ergo_status status = ERGO_OK;
  while ((status = ergo_sequence_next(sequence.get(), 0.001, &token, &error_)) != ERGO_ENDED) {
    ASSERT_GE(status, 0) << error_.message();
    if (status == ERGO_OK) ++read;
  }
  EXPECT_EQ(read, 2);
  EXPECT_EQ(ergo_sequence_next(sequence.get(), 0.0, &token, &error_), ERGO_ENDED);
  EXPECT_EQ(ergo_sequence_next(sequence.get(), NAN, &token, &error_), ERGO_INVALID);
}

}  // namespace
}  // namespace ergo::capi
