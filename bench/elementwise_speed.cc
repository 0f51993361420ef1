// Time of element-wise operations and of sampling on one thread: nanoseconds a call, and bytes read
// and written each second against a plain copy that moves as many. The copy and the operation take
// turns, since clocks and memory rates drift; medians of 15 rounds of the thread's own processor
// time, so that waiting for a turn on a busy machine does not count.
//
//   elementwise_speed [--sampling]
//
// ERGO_CPU chooses the code path.
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "kernels/activation/activation.h"
#include "kernels/norm/norm.h"
#include "kernels/rope/rope.h"
#include "kernels/softmax/softmax.h"
#include "runtime/sample/sampler.h"

namespace {

using ergo::runtime::Sampler;
using ergo::runtime::SamplingParams;

constexpr int kRounds = 15;

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Seconds of one call.
double Time(const std::function<void()>& call, int calls) {
  const double start = ProcessorSeconds();
  for (int i = 0; i < calls; ++i) call();
  return (ProcessorSeconds() - start) / calls;
}

/// Calls that fill half a millisecond.
int CallsFor(const std::function<void()>& call) {
  int calls = 1;
  while (Time(call, calls) * calls < 5e-4) calls *= 2;
  return calls;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Prints a row; `bytes` are those that the operation reads and writes.
void Measure(std::string_view name, std::size_t n, std::size_t bytes,
             const std::function<void()>& call) {
  std::vector<char> from(bytes / 2, 1);
  std::vector<char> to(bytes / 2, 2);
  const std::function<void()> copy = [&] {
    std::memcpy(to.data(), from.data(), from.size());
    asm volatile("" : : "r"(to.data()) : "memory");
  };
  const int copies = CallsFor(copy);
  const int calls = CallsFor(call);
  std::vector<double> copy_times;
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    copy_times.push_back(Time(copy, copies));
    times.push_back(Time(call, calls));
  }
  const double time = Median(times);
  const double rate = static_cast<double>(bytes);
  fmt::print("{:<34} {:>7} {:>10.1f} ns {:>8.1f} GB/s {:>8.1f} GB/s\n", name, n, time * 1e9,
             rate / time * 1e-9, rate / Median(copy_times) * 1e-9);
}

std::vector<float> RandomValues(std::size_t n, float deviation) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> out(n);
  for (float& value : out) value = normal(random);
  return out;
}

void MeasureOperations(std::size_t n) {
  using namespace ergo::kernels;
  const std::vector<float> x = RandomValues(n, 2.0f);
  const std::vector<float> y = RandomValues(n, 1.0f);
  std::vector<float> out(n);
  const std::size_t row = n * sizeof(float);
  Measure("rms norm", n, 3 * row, [&] { RmsNorm(x.data(), y.data(), 1e-6f, n, out.data()); });
  Measure("layer norm", n, 4 * row, [&] {
    LayerNorm(x.data(), {y.data(), y.data()}, 1e-6f, n, out.data());
  });
  Measure("swiglu", n, 3 * row, [&] { SwiGlu(x.data(), y.data(), n, out.data()); });
  Measure("geglu (tanh)", n, 3 * row, [&] { GeGluTanh(x.data(), y.data(), n, out.data()); });
  Measure("gelu (erf)", n, 2 * row, [&] { GeluErf(x.data(), n, out.data()); });
  Measure("add", n, 3 * row, [&] { AddInPlace(out.data(), y.data(), n); });
  Measure("softmax", n, 2 * row, [&] { Softmax(x.data(), n, out.data()); });
  std::vector<float> capped = x;
  Measure("soft cap", n, 2 * row, [&] { SoftCap(capped.data(), n, 30.0f); });
}

void MeasureRope(std::size_t heads, std::size_t head_dim) {
  using namespace ergo::kernels;
  RopeConfig config;
  config.rotary_dims = head_dim;
  const auto rope = Rope::Create(config);
  if (!rope) return;
  std::vector<float> angles(head_dim);
  std::vector<float> x = RandomValues(heads * head_dim, 1.0f);
  const std::size_t row = x.size() * sizeof(float);
  Measure("rope, halves", x.size(), 2 * row, [&] {
    ApplyRope(angles.data(), head_dim, false, {heads, head_dim, x.data()});
  });
  Measure("rope, pairs", x.size(), 2 * row, [&] {
    ApplyRope(angles.data(), head_dim, true, {heads, head_dim, x.data()});
  });
  std::size_t position = 0;
  Measure("rope, angles of a position", head_dim, head_dim * sizeof(float),
          [&] { rope->Angles(position++ % 131072, angles.data()); });
}

/// Logits like a language model's: a wide normal bulk and a few likely tokens.
std::vector<float> ModelLogits(std::size_t n) {
  std::vector<float> logits = RandomValues(n, 2.0f);
  std::mt19937 random(2);
  for (int i = 0; i < 40; ++i) {
    logits[random() % n] = 20.0f - 0.3f * static_cast<float>(i);
  }
  return logits;
}

void MeasureSampling(std::string_view kind, const std::vector<float>& logits) {
  const std::size_t n = logits.size();
  const std::size_t row = n * sizeof(float);
  std::vector<std::int32_t> history(1000);
  for (std::size_t i = 0; i < history.size(); ++i) history[i] = static_cast<std::int32_t>(7 * i);
  const auto measure = [&](std::string_view name, SamplingParams params, bool logprob) {
    params.logprob = logprob;
    Sampler sampler(params);
    std::size_t position = 0;
    Measure(fmt::format("{}, {}", name, kind), n, row,
            [&] { sampler.Next(logits, history, position++); });
  };
  SamplingParams plain;
  SamplingParams greedy;
  greedy.temperature = 0.0f;
  SamplingParams top_k;
  top_k.top_k = 40;
  SamplingParams top_p;
  top_p.top_p = 0.95f;
  SamplingParams min_p;
  min_p.min_p = 0.05f;
  SamplingParams typical;
  typical.typical_p = 0.95f;
  SamplingParams usual;
  usual.temperature = 0.7f;
  usual.top_k = 20;
  usual.top_p = 0.8f;
  usual.repetition_penalty = 1.05f;
  measure("greedy", greedy, false);
  measure("greedy + logprob", greedy, true);
  measure("temperature", plain, false);
  measure("top-k 40", top_k, false);
  measure("top-p 0.95", top_p, false);
  measure("min-p 0.05", min_p, false);
  measure("typical 0.95", typical, false);
  measure("penalties, top-k, top-p", usual, false);
}

}  // namespace

int main(int count, char** arguments) {
  const auto path = ergo::ChooseCpuPath();
  if (!path) {
    fmt::print(stderr, "{}\n", path.error().Message());
    return 1;
  }
  const bool sampling_only = count > 1 && std::string_view(arguments[1]) == "--sampling";
  fmt::print("path {}, one thread\n", ergo::Name(*path));
  fmt::print("{:<34} {:>7} {:>13} {:>13} {:>13}\n", "operation", "n", "a call", "rate", "copy");
  if (!sampling_only) {
    for (const std::size_t n : {576u, 896u, 4864u, 65536u}) MeasureOperations(n);
    MeasureRope(9, 64);
    MeasureRope(4, 256);
  }
  for (const std::size_t n : {49152u, 151936u, 262144u}) {
    MeasureSampling("peaked", ModelLogits(n));
    MeasureSampling("flat", RandomValues(n, 1.0f));
  }
  return 0;
}
