// Prints what speculation by look-up could give on a text, without running a model:
//   speculation_lookup -m MODEL --given FILE --answer FILE
// The answer is replayed token by token behind the given text; what is proposed is accepted as far
// as it agrees with it. For the gain the cost of steps is needed: --costs 1,1.02,1.1,… for 1, 2, 3
// … rows (interpolated towards the last one).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "formats/model_files.h"
#include "runtime/speculate/lookup_proposer.h"
#include "runtime/speculate/speculation_control.h"
#include "tokenizer/tokenizer.h"

namespace {

using ergo::tokenizer::TokenId;

constexpr std::size_t kMostBytes = std::size_t{16} << 20;

/// Of this thread, so that what else the machine does is not counted.
double Seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

int Complain(const ergo::Error& error) {
  fmt::print(stderr, "{}\n", error.Message());
  return 1;
}

struct Replay {
  std::size_t steps = 0;
  std::size_t proposed = 0;
  std::size_t accepted = 0;
  double cost = 0.0;     ///< of all steps, in steps of one row
  double seconds = 0.0;  ///< of looking up
};

Replay Run(const std::vector<TokenId>& given, const std::vector<TokenId>& answer,
           const std::vector<double>& costs) {
  ergo::runtime::LookupProposer proposer;
  ergo::runtime::SpeculationControl control;
  ergo::runtime::SequenceSpeculation sequence;
  std::vector<TokenId> tokens = given;
  Replay replay;
  for (std::size_t at = 0; at < answer.size(); ++replay.steps) {
    const double start = Seconds();
    const auto proposal = proposer.Propose(tokens, control.most());
    replay.seconds += Seconds() - start;
    ergo::runtime::StepSoFar step;
    const std::size_t chosen = control.Choose(sequence, proposal, step);
    std::size_t accepted = 0;
    while (accepted < chosen && at + accepted + 1 < answer.size() &&
           proposal.tokens[accepted] == answer[at + accepted]) {
      ++accepted;
    }
    control.RecordAcceptance(sequence, proposal, chosen, accepted);
    const double cost = costs[std::min(chosen, costs.size() - 1)];
    control.Record(1 + chosen, 1e-3 * cost);
    replay.cost += cost;
    replay.proposed += chosen;
    replay.accepted += accepted;
    const auto first = answer.begin() + static_cast<std::ptrdiff_t>(at);
    tokens.insert(tokens.end(), first, first + static_cast<std::ptrdiff_t>(accepted + 1));
    at += accepted + 1;
  }
  return replay;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("What speculation by look-up gives on a text");
  std::string model;
  std::string given_path;
  std::string answer_path;
  std::vector<double> costs = {1, 1.02, 1.1, 1.3, 1.4, 1.5, 1.6, 1.8};
  app.add_option("-m,--model", model, "GGUF file or folder with a tokenizer")->required();
  app.add_option("--given", given_path, "text before the answer")->required();
  app.add_option("--answer", answer_path, "text of the answer")->required();
  app.add_option("--costs", costs, "cost of a step of 1, 2, 3 … rows")->delimiter(',');
  CLI11_PARSE(app, argc, argv);

  const auto files = ergo::formats::Open(model);
  if (!files) return Complain(files.error());
  const auto tokenizer = ergo::tokenizer::Tokenizer::Load(*files);
  if (!tokenizer) return Complain(tokenizer.error());
  const auto given = ergo::ReadFile(given_path, kMostBytes);
  if (!given) return Complain(given.error());
  const auto answer = ergo::ReadFile(answer_path, kMostBytes);
  if (!answer) return Complain(answer.error());
  while (costs.size() < 16) {  // each further row as the last one
    const std::size_t n = costs.size();
    costs.push_back(n < 2 ? static_cast<double>(n + 1) : 2.0 * costs[n - 1] - costs[n - 2]);
  }

  const std::vector<TokenId> before = tokenizer->Encode(*given);
  const std::vector<TokenId> after = tokenizer->Encode(*answer, {.add_special = false});
  if (after.empty()) return Complain({"the answer is empty", answer_path, ""});
  const Replay replay = Run(before, after, costs);
  const auto count = static_cast<double>(after.size());
  const auto steps = static_cast<double>(replay.steps);
  fmt::print("given {} tokens, answer {} tokens in {} steps: {:.2f} tokens a step\n", before.size(),
             after.size(), replay.steps, count / steps);
  fmt::print("proposed {}, accepted {}; {:.2f}x as fast with these costs\n", replay.proposed,
             replay.accepted, count / replay.cost);
  fmt::print("look-up {:.2f} us a step\n", 1e6 * replay.seconds / steps);
  return 0;
}
