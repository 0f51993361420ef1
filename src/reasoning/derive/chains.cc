// Chains of steps in words.
#include <array>
#include <future>
#include <numeric>
#include <utility>

#include "reasoning/derive/answer_value.h"
#include "reasoning/derive/derivation.h"
#include "reasoning/derive/givens.h"
#include "reasoning/derive/steps.h"
#include "reasoning/prompts/prompts.h"
#include "reasoning/verify/arithmetic.h"
#include "reasoning/verify/definitions.h"

namespace ergo::reasoning {
namespace {

/// A derivation that begins to write a program, to confirm its answer as a rule, ends there.
constexpr std::string_view kFence = "```";

/// One chain in the making.
struct Chain {
  Continuation next;
  std::size_t left = 0;  ///< tokens that it may still draw
  std::vector<DrawnToken> logprobs;
  std::size_t tokens = 0;
  bool done = false;
  bool finished = false;
  bool fenced = false;                              ///< ended by kFence
  std::future<std::vector<Finding>> findings = {};  ///< what checks say, once it is done
};

/// Takes what was drawn; if that ends in "=", the exact value goes before what comes next. A chain
/// that was cut off by its share of the budget may go on when others leave some of theirs.
void Take(Drawn drawn, Chain* chain) {
  chain->tokens += drawn.tokens;
  chain->left -= std::min(chain->left, drawn.tokens);
  chain->logprobs.insert(chain->logprobs.end(), std::make_move_iterator(drawn.logprobs.begin()),
                         std::make_move_iterator(drawn.logprobs.end()));
  chain->next.from = drawn.branch;
  chain->next.append.clear();
  const std::string_view text = drawn.branch->text();
  chain->fenced = drawn.end == DrawEnd::kStop && !text.ends_with('=') &&
                  text.find(kFence) != std::string_view::npos;
  if (drawn.end == DrawEnd::kStop && !chain->fenced && drawn.tokens > 0 && chain->left > 0) {
    auto value = ExactValueAfterEquals(text);
    if (const auto calculation = CalculationBefore(text); !value && calculation) {
      value = ExactValueAfterEquals(*calculation + " =");
    }
    if (value) {
      const bool space = text.ends_with(' ') || text.ends_with('$');
      chain->next.append = (space ? "" : " ") + *value;
    }
    return;
  }
  if (drawn.end == DrawEnd::kLength && drawn.tokens > 0 && chain->left > 0) return;
  chain->done = true;
  chain->finished = drawn.end == DrawEnd::kEnd || chain->fenced;
}

std::vector<Chain> Begin(Work& work, const ChainOptions& options, bool stops_at_fences,
                         const BranchPtr& start) {
  std::vector<Chain> chains(options.count);
  for (Chain& chain : chains) {
    chain.left = options.max_tokens;
    chain.next.from = start;
    chain.next.draw.temperature = options.temperature;
    chain.next.draw.seed = work.NextSeed();
    chain.next.draw.logprobs = true;
    if (stops_at_fences) chain.next.draw.stop = {std::string(kFence)};
    if (options.exact_values) chain.next.draw.stop.emplace_back("=");
  }
  return chains;
}

std::string TextOf(const Chain& chain, std::size_t start) {
  std::string text(chain.next.from->text().substr(start));
  if (chain.fenced) text.erase(text.rfind(kFence));
  return text;
}

/// Draws until all are done or nothing is left. Each goes on as soon as its exact value is known,
/// and is checked as soon as it is done, while the others are drawn. `start`: bytes of the answer
/// that none has drawn.
Status Run(Work& work, std::size_t start, std::vector<Chain>* chains) {
  Status last;
  while (!work.budget().Exhausted()) {
    // The budget is shared by those that still go on.
    std::vector<Chain*> active;
    for (Chain& chain : *chains) {
      if (!chain.done) active.push_back(&chain);
    }
    if (active.empty()) break;
    const std::size_t share = std::max<std::size_t>(work.budget().tokens_left() / active.size(), 1);
    std::vector<Continuation> continuations;
    for (Chain* chain : active) {
      chain->next.draw.max_tokens = std::min(chain->left, share);
      continuations.push_back(chain->next);
    }
    const auto hear = [&](std::size_t index, Result<Drawn> drawn) -> std::optional<Continuation> {
      Chain& chain = *active[index];
      if (drawn) {
        chain.next.draw.max_tokens -= std::min(chain.next.draw.max_tokens, drawn->tokens);
        Take(*std::move(drawn), &chain);
      } else {
        last = Fail(std::move(drawn));
        chain.done = true;
      }
      if (chain.done && chain.tokens > 0) {
        chain.findings = std::async(std::launch::async, [&work, text = TextOf(chain, start)] {
          return CheckText(work, text);
        });
      }
      if (chain.done || chain.next.draw.max_tokens == 0) return std::nullopt;
      return chain.next;
    };
    work.ContinueEach(std::move(continuations), hear);
  }
  return last;
}

}  // namespace

std::string PlainQuestion(const Question& question) {
  return question.context.empty() ? question.text : question.context + "\n\n" + question.text;
}

std::string WholeQuestion(const Question& question) {
  std::string whole = PlainQuestion(question);
  std::string counts = CountsOf(question.text);
  if (counts.empty()) return whole;
  counts.pop_back();
  return whole + "\n(" + counts + ")";
}

Result<Prompt> ChainPrompt(const Work& work) {
  const Question& question = work.question();
  const std::string text = WholeQuestion(question);
  const AnswerKind kind = KindOf(question);
  std::string options;
  for (const std::string& option : question.options) {
    options += (options.empty() ? "" : ", ") + option;
  }
  const std::array values = {PromptValue{"question", text}, PromptValue{"options", options}};
  const char* name = "chain";
  if (kind == AnswerKind::kChoice) name = "choice";
  if (kind == AnswerKind::kMath) name = "math";
  if (kind == AnswerKind::kCode) name = "code";
  if (kind == AnswerKind::kText) name = "plain";
  return MakePrompt({name, LanguageOf(text), work.model().family()}, values);
}

Result<std::vector<Derivation>> DrawChains(Work& work, const ChainOptions& options) {
  const AnswerKind kind = KindOf(work.question());
  const auto prompt = ChainPrompt(work);
  if (!prompt) return tl::unexpected(prompt.error());
  const auto start = work.Begin(*prompt);
  if (!start) return tl::unexpected(start.error());
  std::vector<Chain> chains = Begin(work, options, kind == AnswerKind::kNumber, *start);
  const std::size_t begin = (*start)->text().size();
  Status last = Run(work, begin, &chains);
  std::vector<Derivation> derivations;
  for (Chain& chain : chains) {
    if (chain.tokens == 0) continue;
    Derivation derivation;
    derivation.branch = chain.next.from;
    derivation.text = TextOf(chain, begin);
    derivation.tokens = chain.tokens;
    derivation.finished = chain.finished;
    // The last number of half a derivation is no answer.
    const bool answers =
        chain.finished || kind != AnswerKind::kNumber || Announces(derivation.text);
    if (answers) derivation.value = ValueIn(derivation.text, kind, work.question());
    derivation.mean_logprob = MeanLogprob(chain.logprobs);
    if (derivation.value.empty()) derivation.failure = "it came to no answer";
    NoteGivens(work, &derivation);
    derivation.findings =
        chain.findings.valid() ? chain.findings.get() : CheckText(work, derivation.text);
    RecordFindings(work, chain.logprobs, &derivation);
    derivations.push_back(std::move(derivation));
  }
  if (derivations.empty() && !last) return Fail(std::move(last));
  return derivations;
}

}  // namespace ergo::reasoning
