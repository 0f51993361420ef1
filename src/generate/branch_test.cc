#include "generate/branch.h"

#include <gtest/gtest.h>

#include <numeric>

#include "generate/constrain/compile.h"
#include "generate/testing/tiny_model.h"

namespace ergo::generate {
namespace {

using testing::LoadTiny;
using testing::TinyFolder;

AnswerOptions Few(std::size_t tokens, std::uint64_t seed, float temperature = 1.0f) {
  AnswerOptions options;
  options.max_tokens = tokens;
  options.sampling.temperature = temperature;
  options.sampling.seed = seed;
  options.logprobs = 0;
  options.ignore_end = true;
  return options;
}

TEST(Branch, GoesOnAsTheWholeTextWould) {
  const TinyFolder folder;
  const auto model = LoadTiny(folder);
  const auto prompt = model->tokenizer().Encode("one two three");
  const Extension first{Branch(prompt), {}, Few(7, 3)};
  auto begun = Extend(*model, {{first}});
  ASSERT_TRUE(begun[0]) << begun[0].error().Message();
  std::vector<Extension> next;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    next.push_back({begun[0]->branch, {40, 41}, Few(9, seed)});
  }
  const auto extended = Extend(*model, next);
  ASSERT_EQ(extended.size(), next.size());
  for (std::size_t i = 0; i < next.size(); ++i) {
    ASSERT_TRUE(extended[i]) << extended[i].error().Message();
    std::vector<TokenId> whole = begun[0]->branch.tokens();
    whole.insert(whole.end(), {40, 41});
    const auto alone = Answer(*model, whole, next[i].options);
    ASSERT_TRUE(alone) << alone.error().Message();
    EXPECT_EQ(extended[i]->result.tokens, alone->tokens);
    EXPECT_EQ(extended[i]->result.text, alone->text);
    EXPECT_EQ(extended[i]->result.logprobs.size(), alone->tokens.size());
    EXPECT_GE(extended[i]->result.usage.cached_tokens, begun[0]->branch.tokens().size() - 1);
    whole.insert(whole.end(), alone->tokens.begin(), alone->tokens.end());
    EXPECT_EQ(extended[i]->branch.tokens(), whole);
  }
}

TEST(Branch, AConstraintHoldsForItsExtensionAlone) {
  const TinyFolder folder;
  const auto model = LoadTiny(folder);
  AnswerOptions digits = Few(20, 1);
  digits.ignore_end = false;
  auto grammar = constrain::CompileRegex("[0-9]{3}");
  ASSERT_TRUE(grammar);
  auto constraint = constrain::Constraint::Create(*grammar, *model->token_table());
  ASSERT_TRUE(constraint) << constraint.error().Message();
  digits.constraint = *constraint;
  const auto first = Extend(*model, {{{Branch(model->tokenizer().Encode("n ")), {}, digits}}});
  ASSERT_TRUE(first[0]) << first[0].error().Message();
  EXPECT_EQ(first[0]->result.text.size(), 3u);
  const auto second = Extend(*model, {{{first[0]->branch, {}, Few(12, 5)}}});
  ASSERT_TRUE(second[0]);
  EXPECT_EQ(second[0]->result.tokens.size(), 12u);
}

TEST(Branch, StopsAndCancels) {
  const TinyFolder folder;
  const auto model = LoadTiny(folder);
  const Branch start(model->tokenizer().Encode("abc"));
  const auto free = Extend(*model, {{{start, {}, Few(30, 2)}}});
  ASSERT_TRUE(free[0]);
  ASSERT_GE(free[0]->result.text.size(), 6u);
  AnswerOptions stopping = Few(30, 2);
  const std::string& text = free[0]->result.text;
  const auto begins = [&](std::size_t at) { return (text[at] & 0xC0) != 0x80; };
  std::size_t at = 3;
  while (at + 3 < text.size() && (!begins(at) || !begins(at + 2))) ++at;
  stopping.stop = {text.substr(at, 2)};
  const auto stopped = Extend(*model, {{{start, {}, stopping}}});
  ASSERT_TRUE(stopped[0]);
  EXPECT_EQ(stopped[0]->result.finish_reason, FinishReason::kStop);
  EXPECT_EQ(stopped[0]->result.text, text.substr(0, text.find(stopping.stop[0])));
  EXPECT_FALSE(stopped[0]->ended);
  const auto cancelled = Extend(*model, {{{start, {}, Few(200, 2)}}}, [] { return true; });
  ASSERT_TRUE(cancelled[0]);
  EXPECT_EQ(cancelled[0]->result.finish_reason, FinishReason::kCancel);
  AnswerOptions bad = Few(3, 0);
  bad.sampling.temperature = -1.0f;
  const auto mixed = Extend(*model, {{{start, {}, bad}, {start, {}, Few(3, 0)}}});
  EXPECT_FALSE(mixed[0]);
  EXPECT_TRUE(mixed[1]);
}

TEST(Branch, OneGoesOnWhileOthersAreDrawn) {
  const TinyFolder folder;
  const auto model = LoadTiny(folder);
  const Branch start(model->tokenizer().Encode("go on"));
  std::vector<std::size_t> order;
  std::vector<Branch> ends(2);
  ExtendEach(*model, {{start, {}, Few(3, 1)}, {start, {}, Few(60, 2)}},
             [&](std::size_t index, Result<Extended> extended) -> std::optional<Extension> {
               EXPECT_TRUE(extended);
               order.push_back(index);
               ends[index] = extended->branch;
               if (order.size() > 3) return std::nullopt;
               return Extension{extended->branch, {40}, Few(3, 1)};
             });
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 0, 0, 0, 1}));
  Branch alone = start;
  for (std::size_t i = 0; i < 4; ++i) {
    std::vector<TokenId> append;
    if (i > 0) append = {40};
    const auto extended = Extend(*model, {{{alone, append, Few(3, 1)}}});
    ASSERT_TRUE(extended[0]);
    alone = extended[0]->branch;
  }
  EXPECT_EQ(ends[0].tokens(), alone.tokens());
  EXPECT_EQ(ends[1].tokens().size(), start.tokens().size() + 60);
}

TEST(Branch, NothingGoesOnAfterACancel) {
  const TinyFolder folder;
  const auto model = LoadTiny(folder);
  const Branch start(model->tokenizer().Encode("stop"));
  std::size_t heard = 0;
  ExtendEach(
      *model, {{start, {}, Few(100, 1)}, {start, {}, Few(100, 2)}},
      [&](std::size_t, Result<Extended> extended) -> std::optional<Extension> {
        ++heard;
        EXPECT_EQ(extended->result.finish_reason, FinishReason::kCancel);
        return Extension{extended->branch, {40}, Few(3, 1)};
      },
      [] { return true; });
  EXPECT_EQ(heard, 2u);
}

TEST(Branch, ScoresWhatMayFollow) {
  const TinyFolder folder;
  const auto model = LoadTiny(folder);
  const auto prompt = model->tokenizer().Encode("score me");
  const auto drawn = Extend(*model, {{{Branch(prompt), {}, Few(6, 11, 0.0f)}}});
  ASSERT_TRUE(drawn[0]);
  const auto fresh = ScoreAfter(*model, Branch(prompt), {drawn[0]->result.tokens, {9}});
  ASSERT_TRUE(fresh) << fresh.error().Message();
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ((*fresh)[0][i], drawn[0]->result.logprobs[i].logprob);
  }
  const auto after = ScoreAfter(*model, drawn[0]->branch, {{9, 10}});
  ASSERT_TRUE(after) << after.error().Message();
  EXPECT_EQ(after->front().size(), 2u);
}

}  // namespace
}  // namespace ergo::generate
