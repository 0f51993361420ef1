#include "reasoning/derive/fenced.h"

#include <cmath>
#include <utility>

#include "reasoning/derive/steps.h"

namespace ergo::reasoning {

Result<std::vector<Drawn>> DrawFenced(Work& work, const Prompt& prompt, const FencedDraw& draw,
                                      const HearSample& hear) {
  const auto start = work.Begin(prompt);
  if (!start) return tl::unexpected(start.error());
  std::vector<Continuation> continuations(draw.count);
  for (Continuation& continuation : continuations) {
    continuation.from = *start;
    continuation.draw = {.max_tokens = draw.max_tokens,
                         .temperature = draw.temperature,
                         .seed = work.NextSeed(),
                         .stop = {"```"},
                         .logprobs = true};
  }
  std::vector<Drawn> samples(draw.count);
  bool any = false;
  Status last;
  work.ContinueEach(std::move(continuations),
                    [&](std::size_t index, Result<Drawn> drawn) -> std::optional<Continuation> {
                      if (!drawn) {
                        last = Fail(std::move(drawn));
                      } else if (drawn->tokens > 0) {
                        any = true;
                        samples[index] = *std::move(drawn);
                        hear(index, samples[index]);
                      }
                      return std::nullopt;
                    });
  if (!any && !last) return Fail(std::move(last));
  return samples;
}

Derivation ToProgram(const Drawn& drawn) {
  Derivation derivation;
  derivation.kind = DerivationKind::kProgram;
  derivation.text = drawn.text;
  derivation.tokens = drawn.tokens;
  derivation.finished = drawn.end != DrawEnd::kLength;
  derivation.mean_logprob = MeanLogprob(drawn.logprobs);
  derivation.branch = drawn.branch;
  return derivation;
}

void RecordProgram(Work& work, const Drawn& drawn, Derivation* derivation) {
  TraceNode node;
  node.kind = NodeKind::kStep;
  node.text = derivation->text;
  node.formal = derivation->text;
  node.value = derivation->value;
  node.search.depth = 1;
  node.confidence.token = std::exp(derivation->mean_logprob);
  node.kv_new = drawn.tokens;
  node.kv_shared = drawn.cached;
  for (const DrawnToken& token : drawn.logprobs) {
    node.tokens.push_back({token.text, token.logprob, std::nullopt});
  }
  for (const Finding& finding : derivation->findings) {
    node.verification.push_back(ToVerification(finding));
  }
  derivation->node = work.trace().Add(std::move(node));
}

}  // namespace ergo::reasoning
