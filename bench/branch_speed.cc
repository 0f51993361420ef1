// What branches cost: forks, scores of many continuations, shared against copied prefixes, and
// speculation. Every pair is measured in turns; figures are medians.
//   branch_speed MODEL [prefix tokens] [branches] [pairs]
//   branch_speed MODEL --chat     20 turns of 200 tokens: time to the first token of the last one
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "generate/language_model.h"
#include "generate/session.h"

namespace {

using ergo::generate::LanguageModel;
using ergo::generate::TokenId;
using ergo::runtime::DrawnToken;
using ergo::runtime::EngineLoop;
using ergo::runtime::Scheduler;
using ergo::runtime::SequenceOptions;
using ergo::runtime::Stream;
using ergo::runtime::TokenStream;
using Tokens = std::vector<TokenId>;

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Setting {
  std::size_t prefix = 1024;
  std::size_t branches = 64;
  int pairs = 3;
};

Tokens RandomTokens(const LanguageModel& model, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Tokens tokens(count);
  for (TokenId& token : tokens) {
    token = static_cast<TokenId>(random() % (model.model().config().vocabulary / 2));
  }
  return tokens;
}

SequenceOptions Draw(std::size_t count) {
  SequenceOptions options;
  options.sampling.temperature = 0.0f;
  options.sampling.logprob = false;
  options.max_tokens = count;
  options.speculate = false;
  return options;
}

void Drain(const std::vector<Stream>& streams) {
  DrawnToken token;
  for (const Stream& stream : streams) {
    while (stream->Next(&token) == TokenStream::Wait::kToken) {
    }
    if (stream->end().error) {
      fmt::print(stderr, "error: {}\n", stream->end().error->Message());
      std::exit(1);
    }
  }
}

/// A sequence that holds `tokens` and is kept.
Stream Keep(Scheduler& scheduler, const Tokens& tokens) {
  SequenceOptions options = Draw(1);
  options.keep = true;
  Stream stream = scheduler.Submit(tokens, std::move(options));
  Drain({stream});
  return stream;
}

std::size_t KvBytes(Scheduler& scheduler) {
  std::size_t bytes = 0;
  scheduler.Between([&](EngineLoop& loop) { bytes = loop.engine().kv_bytes_used(); });
  return bytes;
}

void Forget(Scheduler& scheduler) {
  scheduler.Between([](EngineLoop& loop) { loop.engine().ForgetAll(); });
}

void MeasureForks(LanguageModel& model, const Setting& setting) {
  Scheduler& scheduler = model.scheduler();
  const Tokens prefix = RandomTokens(model, setting.prefix, 1);
  const Stream base = Keep(scheduler, prefix);
  std::vector<double> each;
  for (int i = 0; i < 20; ++i) {
    const auto before = scheduler.stats();
    std::vector<Stream> forks;
    for (std::size_t b = 0; b < setting.branches; ++b) {
      forks.push_back(scheduler.Fork({base->id(), setting.prefix}, Draw(1)));
    }
    Drain(forks);
    const auto after = scheduler.stats();
    each.push_back((after.fork_seconds - before.fork_seconds) /
                   static_cast<double>(after.forks - before.forks));
  }
  fmt::print(
      "fork at {} tokens: {:.1f} microseconds of the engine's thread (worst of 20 rounds {:.1f})\n",
      setting.prefix, 1e6 * Median(each), 1e6 * *std::max_element(each.begin(), each.end()));
}

struct ScoreTimes {
  double together = 0.0;  ///< seconds
  double ratio = 0.0;     ///< how much longer one call each takes
};

ScoreTimes TimeScores(LanguageModel& model, std::size_t prefix, const Setting& setting) {
  Scheduler& scheduler = model.scheduler();
  const Stream base = Keep(scheduler, RandomTokens(model, prefix, 2));
  std::vector<Tokens> continuations;
  for (std::size_t c = 0; c < setting.branches; ++c) {
    continuations.push_back(RandomTokens(model, 8, 100 + static_cast<unsigned>(c)));
  }
  std::vector<double> ratios;
  std::vector<double> together;
  for (int pair = 0; pair < setting.pairs; ++pair) {
    const double start = Now();
    const auto all = scheduler.Score(base->id(), continuations).get();
    const double middle = Now();
    for (std::size_t c = 0; c < continuations.size(); ++c) {
      const auto one = scheduler.Score(base->id(), {continuations[c]}).get();
      if (!one || !all || one->front() != (*all)[c]) {
        fmt::print(stderr, "error: scores differ\n");
        std::exit(1);
      }
    }
    together.push_back(middle - start);
    ratios.push_back((Now() - middle) / (middle - start));
  }
  return {Median(together), Median(ratios)};
}

/// Beside the same on a prefix of one token, where attention costs nothing: what is left of the
/// ratio there comes from products that go faster with more rows than 8.
void MeasureScores(LanguageModel& model, const Setting& setting) {
  const ScoreTimes with = TimeScores(model, setting.prefix, setting);
  const ScoreTimes without = TimeScores(model, 1, setting);
  fmt::print(
      "{} continuations of 8 tokens on {}: {:.0f} ms together, {:.2f}x as fast as one call each "
      "(on 1: {:.2f}x)\n",
      setting.branches, setting.prefix, 1e3 * with.together, with.ratio, without.ratio);
}

struct Decoded {
  double tokens_per_second = 0.0;
  std::size_t kv_bytes = 0;
};

/// `sequences` must be there already; each is forked and draws 64 tokens.
Decoded Decode(Scheduler& scheduler, const std::vector<Stream>& bases, std::size_t branches) {
  constexpr std::size_t kTokens = 64;
  std::vector<Stream> forks;
  const double start = Now();
  for (std::size_t b = 0; b < branches; ++b) {
    forks.push_back(scheduler.Fork({bases[b % bases.size()]->id()}, Draw(kTokens)));
  }
  Drain(forks);
  const double seconds = Now() - start;
  return {static_cast<double>(branches * kTokens) / seconds, KvBytes(scheduler)};
}

/// Beside branches on a prefix of one token: if going through a shared prefix cost nothing at all,
/// sharing would still be no faster than that.
void MeasureSharing(LanguageModel& model, const Setting& setting) {
  Scheduler& scheduler = model.scheduler();
  std::vector<double> ratios;
  std::vector<double> most;
  std::vector<double> shared_speed;
  double bytes = 0.0;
  for (int pair = 0; pair < setting.pairs; ++pair) {
    Forget(scheduler);
    std::vector<Stream> bases = {Keep(scheduler, RandomTokens(model, setting.prefix, 3))};
    const Decoded shared = Decode(scheduler, bases, setting.branches);
    // The same prefix in a name space of its own for each branch: computed and held apart.
    Forget(scheduler);
    bases.clear();
    for (std::size_t b = 0; b < setting.branches; ++b) {
      SequenceOptions options = Draw(1);
      options.keep = true;
      options.name_space = fmt::format("copy {}", b);
      bases.push_back(scheduler.Submit(RandomTokens(model, setting.prefix, 3), std::move(options)));
    }
    Drain(bases);
    const Decoded copied = Decode(scheduler, bases, setting.branches);
    Forget(scheduler);
    bases = {Keep(scheduler, RandomTokens(model, 1, 3))};
    const Decoded bare = Decode(scheduler, bases, setting.branches);
    most.push_back(bare.tokens_per_second / copied.tokens_per_second);
    shared_speed.push_back(shared.tokens_per_second);
    ratios.push_back(shared.tokens_per_second / copied.tokens_per_second);
    bytes = static_cast<double>(copied.kv_bytes) / static_cast<double>(shared.kv_bytes);
  }
  Forget(scheduler);
  fmt::print(
      "{} branches on {}: {:.0f} tokens/s, {:.2f}x that of copies of the prefix (without any "
      "prefix "
      "{:.2f}x), {:.1f}x less memory\n",
      setting.branches, setting.prefix, Median(shared_speed), Median(ratios), Median(most), bytes);
}

/// Each turn adds 200 tokens and draws 16.
void MeasureChat(LanguageModel& model) {
  Tokens held;
  double first = 0.0;
  for (int turn = 0; turn < 20; ++turn) {
    for (int i = 0; i < 200; ++i) held.push_back(1000 + 7 * turn + i);
    const double start = Now();
    const Stream stream = model.scheduler().Submit(held, Draw(16));
    DrawnToken token;
    first = 0.0;
    while (stream->Next(&token) == TokenStream::Wait::kToken) {
      if (first == 0.0) first = Now() - start;
      held.push_back(token.token);
    }
  }
  fmt::print("chat of {} tokens: first token after {:.1f} ms\n", held.size(), 1e3 * first);
}

struct Task {
  const char* name;
  const char* prompt;
};

constexpr Task kTasks[] = {
    {"code editing",
     "Rename the function `total` to `sum_of_items` in this file and give the whole file back.\n\n"
     "```python\nclass Basket:\n    def __init__(self):\n        self.items = []\n\n"
     "    def add(self, name, price, count):\n        if count < 1:\n"
     "            raise ValueError(\"count must be at least 1\")\n"
     "        self.items.append({\"name\": name, \"price\": price, \"count\": count})\n\n"
     "    def total(self):\n        result = 0\n        for item in self.items:\n"
     "            result += item[\"price\"] * item[\"count\"]\n        return result\n\n"
     "    def remove(self, name):\n        for item in self.items:\n"
     "            if item[\"name\"] == name:\n                self.items.remove(item)\n"
     "                return True\n        return False\n\n"
     "    def report(self):\n        for item in self.items:\n"
     "            print(item[\"name\"], item[\"price\"], item[\"count\"])\n"
     "        print(\"total\", self.total())\n```\n"},
    {"JSON",
     "Write these people as a JSON array of objects with the keys \"first_name\", \"last_name\", "
     "\"age\", \"city\" and \"profession\", and nothing else: Ada Moss, 36, Leeds, engineer; Ben "
     "Ford, 41, Hull, teacher; Cleo Park, 29, York, nurse; Dan Reed, 52, Bath, baker; Eva Lane, "
     "33, "
     "Ely, lawyer; Finn Cole, 47, Derby, farmer; Gwen Shaw, 25, Wells, pilot; Hugo West, 38, "
     "Ripon, "
     "chemist."},
    {"prose", "Write a story about a lighthouse keeper who finds a letter in a bottle."},
};

/// Tokens per second with and without speculation, and whether they are the same tokens.
void MeasureSpeculation(LanguageModel& model, const Setting& setting) {
  for (const Task& task : kTasks) {
    ergo::generate::GenerateRequest request;
    request.prompt = std::string(task.prompt);
    request.options.sampling.temperature = 0.0f;
    request.options.max_tokens = 256;
    const auto rate = [&](bool speculate, Tokens* tokens) {
      Forget(model.scheduler());
      request.options.speculate = speculate;
      const auto result = Generate(model, request);
      if (!result) {
        fmt::print(stderr, "error: {}\n", result.error().Message());
        std::exit(1);
      }
      *tokens = result->tokens;
      return result->timings.decode_tokens_per_second;
    };
    std::vector<double> ratios;
    std::vector<double> speeds;
    bool same = true;
    for (int pair = 0; pair < setting.pairs; ++pair) {
      Tokens with;
      Tokens without;
      const double fast = rate(true, &with);
      const double plain = rate(false, &without);
      speeds.push_back(fast);
      ratios.push_back(fast / plain);
      same = same && with == without;
    }
    fmt::print("speculation, {}: {:.0f} tokens/s, {:.2f}x, {} tokens\n", task.name, Median(speeds),
               Median(ratios), same ? "the same" : "OTHER");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: branch_speed MODEL [prefix tokens] [branches] [pairs]\n");
    return 2;
  }
  const bool chat = argc > 2 && std::string_view(argv[2]) == "--chat";
  const auto number = [&](int i, long otherwise) {
    return argc > i && !chat ? std::strtol(argv[i], nullptr, 10) : otherwise;
  };
  const long prefix = number(2, 1024);
  const long branches = number(3, 64);
  const long pairs = number(4, 3);
  if (prefix < 1 || branches < 1 || pairs < 1) {
    fmt::print(stderr, "error: numbers are at least 1\n");
    return 2;
  }
  ergo::generate::LanguageModelOptions options;
  const auto model = LanguageModel::Load(argv[1], options);
  if (!model) {
    fmt::print(stderr, "error: {}\n", model.error().Message());
    return 1;
  }
  const Setting setting = {static_cast<std::size_t>(prefix), static_cast<std::size_t>(branches),
                           static_cast<int>(pairs)};
  if (chat) {
    MeasureChat(**model);
    return 0;
  }
  MeasureForks(**model, setting);
  MeasureScores(**model, setting);
  MeasureSharing(**model, setting);
  MeasureSpeculation(**model, setting);
  return 0;
}
