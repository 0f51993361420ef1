// Beam search, written with nothing but forks and scores:
//   beam_search MODEL [PROMPT [WIDTH [LENGTH]]]
//
// Every beam is a sequence that draws one token and tells the likeliest ones. The best
// continuations of all beams become the next beams: forks that append their token. All beams of a
// step are asked for before the first is read, so that they are computed together.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ergo/ergo.hpp>
#include <exception>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace {

using ergo::api::Model;
using ergo::api::Sequence;
using ergo::api::Tokens;

struct Beam {
  Sequence sequence;  // has the text, and draws one token more
  Tokens text = {};
  double logprob = 0.0;
};

struct Candidate {
  Beam* from;
  std::int32_t token;
  double logprob;
};

/// The `width` best continuations by one token of all beams.
std::vector<Candidate> Extend(std::vector<Beam>& beams, std::size_t width) {
  std::vector<Candidate> candidates;
  for (Beam& beam : beams) {
    const auto drawn = beam.sequence.Next();
    if (!drawn) continue;
    for (const ergo_alternative& next : drawn->alternatives) {
      candidates.push_back({&beam, next.token, beam.logprob + next.logprob});
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.logprob > b.logprob; });
  if (candidates.size() > width) candidates.resize(width);
  return candidates;
}

/// The texts of a search, the one that the last beams found likeliest first.
std::vector<Tokens> Search(const Model& model, Sequence root, std::size_t width, std::size_t length,
                           const ergo_sequence_options& options) {
  const std::int32_t eos = model.info().eos;
  const std::size_t start = root.position();
  std::vector<Tokens> finished;
  std::vector<Beam> beams;
  beams.push_back({std::move(root)});
  for (std::size_t step = 0; step < length && !beams.empty(); ++step) {
    std::vector<Beam> next;
    for (const Candidate& best : Extend(beams, width - finished.size())) {
      Tokens text = best.from->text;
      text.push_back(best.token);
      if (best.token == eos || step + 1 == length) {
        finished.push_back(std::move(text));
        continue;
      }
      Sequence& parent = best.from->sequence;
      Sequence branch =
          parent.Fork(options, std::vector{best.token}, start + best.from->text.size());
      next.push_back({std::move(branch), std::move(text), best.logprob});
    }
    beams = std::move(next);  // the losers are dropped
  }
  return finished;
}

int Run(const char* path, const std::string& prompt, std::size_t width, std::size_t length) {
  const Model model(path);
  ergo::api::SequenceOptions options;
  options.temperature = 0.0f;
  options.max_tokens = 1;
  options.ignore_end = 1;
  options.logprobs = static_cast<std::int32_t>(width);
  const Tokens tokens = model.Tokenize(prompt);
  const std::vector<Tokens> texts =
      Search(model, model.Submit(tokens, options), width, length, options);

  // One call scores all the texts that were found.
  options.max_tokens = 0;
  Sequence base = model.Submit(tokens, options);
  const std::vector<std::vector<float>> scores = base.Score(texts);
  std::vector<std::pair<double, std::size_t>> ranking;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const double sum = std::accumulate(scores[i].begin(), scores[i].end(), 0.0);
    ranking.emplace_back(sum / static_cast<double>(scores[i].size()), i);
  }
  std::sort(ranking.rbegin(), ranking.rend());
  for (const auto& [mean, i] : ranking) {
    std::cout << mean << "  " << prompt << model.Detokenize(texts[i]) << '\n';
  }
  return texts.empty() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 2 || argc > 5) {
    std::cerr << "usage: beam_search MODEL [PROMPT [WIDTH [LENGTH]]]\n";
    return 2;
  }
  const std::string prompt = argc > 2 ? argv[2] : "The capital of France is";
  const std::size_t width = argc > 3 ? std::stoul(argv[3]) : 4;
  const std::size_t length = argc > 4 ? std::stoul(argv[4]) : 12;
  return Run(argv[1], prompt, width, length);
} catch (const std::exception& error) {
  std::cerr << "beam_search: " << error.what() << '\n';
  return 1;
}
