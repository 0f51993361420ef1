#include "runtime/speculate/draft_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace ergo::runtime {
namespace {

/// A guess that the draft itself gives less is the last one: the next would rest on it.
constexpr float kLeastProbability = 0.3f;
constexpr double kNewShare = 0.1;  ///< of a measurement in the average
/// More tokens than these for one sequence are a prompt, and no measure of a guess.
constexpr std::size_t kFewTokens = 4;

}  // namespace

/// What the place lacks of the tokens, the last one at least. False: no guess can be made.
bool DraftModel::Prepare(const Request& request, std::vector<std::int32_t>& fed) {
  DraftPlace& place = *request.place;
  const std::size_t vocabulary = engine_->model().config().vocabulary;
  if (request.most == 0 || request.tokens.empty() ||
      request.tokens.size() + request.most > engine_->context()) {
    return false;
  }
  if (place.sequence == 0) place.sequence = engine_->Add();
  if (!place.sampler) {
    SamplingParams sampling = *request.sampling;
    sampling.logprob = true;
    sampling.top_logprobs = 0;
    place.sampler.emplace(std::move(sampling));
  }
  const std::size_t most = std::min(place.tokens.size(), request.tokens.size() - 1);
  const auto end = request.tokens.begin() + static_cast<std::ptrdiff_t>(most);
  const auto same = std::mismatch(request.tokens.begin(), end, place.tokens.begin()).first;
  if (!engine_->Truncate(place.sequence, static_cast<std::size_t>(same - request.tokens.begin()))) {
    return false;
  }
  const std::size_t common = engine_->Length(place.sequence);
  place.tokens.resize(common);
  const auto rest = request.tokens.subspan(common);
  if (std::any_of(rest.begin(), rest.end(), [&](std::int32_t token) {
        return token < 0 || static_cast<std::size_t>(token) >= vocabulary;
      })) {
    return false;
  }
  fed.assign(rest.begin(), rest.end());
  return true;
}

void DraftModel::Propose(std::span<const Request> requests) {
  std::vector<Guess> guesses;
  for (const Request& request : requests) {
    Guess guess = {&request, {}};
    if (Prepare(request, guess.fed)) guesses.push_back(std::move(guess));
  }
  while (!guesses.empty()) {
    std::vector<Work> works;
    bool prompts = false;
    for (const Guess& guess : guesses) {
      works.push_back({guess.request->place->sequence, guess.fed, LogitRows::kLast});
      prompts = prompts || guess.fed.size() > kFewTokens;
    }
    const auto start = std::chrono::steady_clock::now();
    const auto logits = engine_->Step(works);
    if (!logits) {  // no room: these sequences go on without guesses, and others may have the room
      for (const Guess& guess : guesses) Forget(*guess.request->place);
      return;
    }
    std::vector<Guess> further;
    for (std::size_t i = 0; i < guesses.size(); ++i) {
      Guess& guess = guesses[i];
      DraftPlace& place = *guess.request->place;
      std::vector<std::int32_t>& guessed = guess.request->proposal->tokens;
      place.tokens.insert(place.tokens.end(), guess.fed.begin(), guess.fed.end());
      const Sampled drawn = place.sampler->Next(logits->Row(i), place.tokens, place.tokens.size());
      if (drawn.token == Sampled::kNoToken) continue;
      guessed.push_back(drawn.token);
      if (guessed.size() >= guess.request->most || !(std::exp(drawn.logprob) >= kLeastProbability))
        continue;
      guess.fed.assign(1, drawn.token);
      further.push_back(std::move(guess));
    }
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    if (!prompts) {
      const double each = passed.count() / static_cast<double>(guesses.size());
      seconds_ = seconds_ == 0.0 ? each : (1.0 - kNewShare) * seconds_ + kNewShare * each;
    }
    guesses = std::move(further);
  }
}

DraftPlace DraftModel::Fork(const DraftPlace& place, std::size_t length) {
  DraftPlace branch;
  length = std::min(length, place.tokens.size());
  if (place.sequence == 0 || length == 0) return branch;
  const auto forked = engine_->Fork(place.sequence, length);
  if (!forked) return branch;
  branch.sequence = *forked;
  const auto shared = static_cast<std::ptrdiff_t>(engine_->Length(*forked));
  branch.tokens.assign(place.tokens.begin(), place.tokens.begin() + shared);
  return branch;
}

void DraftModel::Forget(DraftPlace& place) {
  if (place.sequence != 0) engine_->Release(place.sequence);
  place.sequence = 0;
  place.tokens.clear();
}

}  // namespace ergo::runtime
