// Prints how fast a tokenizer loads and encodes:
//   tokenizer_speed -m MODEL TEXTFILE…  load time, and MB/s of encoding the files on one thread
//   tokenizer_speed -m MODEL --ids      ids of standard input as a JSON array (for comparisons)
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <iterator>
#include <vector>

#include "base/mapped_file.h"
#include "formats/model_files.h"
#include "tokenizer/tokenizer.h"

namespace {

/// Both clocks, since the wall's also counts what other programs do on a busy machine.
struct Stopwatch {
  static double Now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
  }
  double wall_start = Now(CLOCK_MONOTONIC);
  double cpu_start = Now(CLOCK_THREAD_CPUTIME_ID);

  void Stop(std::vector<double>* wall, std::vector<double>* cpu) const {
    wall->push_back(Now(CLOCK_MONOTONIC) - wall_start);
    cpu->push_back(Now(CLOCK_THREAD_CPUTIME_ID) - cpu_start);
  }
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Complain(const ergo::Error& error) {
  fmt::print(stderr, "{}\n", error.Message());
  return 1;
}

void PrintIds(const std::vector<ergo::tokenizer::TokenId>& ids) {
  fmt::print("[{}]\n", fmt::join(ids, ","));
}

int PrintSpeed(const ergo::formats::ModelFiles& files, const std::vector<std::string>& texts,
               int repeats) {
  std::vector<double> load_wall;
  std::vector<double> load_cpu;
  std::vector<double> encode_wall;
  std::vector<double> encode_cpu;
  std::size_t count = 0;
  std::size_t vocabulary = 0;
  for (int i = 0; i < repeats; ++i) {
    const Stopwatch load;
    const auto tokenizer = ergo::tokenizer::Tokenizer::Load(files);
    load.Stop(&load_wall, &load_cpu);
    if (!tokenizer) return Complain(tokenizer.error());
    vocabulary = tokenizer->size();
    const Stopwatch encode;
    count = 0;
    for (const std::string& text : texts) count += tokenizer->Encode(text).size();
    encode.Stop(&encode_wall, &encode_cpu);
  }
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  const auto speed = [&](const std::vector<double>& times) {
    return static_cast<double>(bytes) / 1e3 / std::max(Median(times), 1e-6);
  };
  fmt::print(
      "{{\"vocabulary\": {}, \"load_ms\": {:.2f}, \"load_cpu_ms\": {:.2f}, \"bytes\": {}, "
      "\"tokens\": {}, \"mb_per_second\": {:.2f}, \"mb_per_cpu_second\": {:.2f}}}\n",
      vocabulary, Median(load_wall), Median(load_cpu), bytes, count, speed(encode_wall),
      speed(encode_cpu));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Load time and encoding speed of a tokenizer");
  std::string model;
  std::vector<std::string> paths;
  bool ids = false;
  int repeats = 5;
  ergo::tokenizer::EncodeOptions options;
  app.add_option("-m,--model", model, "GGUF file, model folder or org/name")->required();
  app.add_option("text", paths, "files to encode");
  app.add_flag("--ids", ids, "print the ids of standard input");
  app.add_flag("!--no-bos", options.add_special, "leave out what stands around a text");
  app.add_flag("!--no-parse-special", options.parse_special, "special tokens are plain text");
  app.add_option("-r,--repeats", repeats, "runs, of which the median counts")
      ->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);

  ergo::formats::OpenOptions open;
  open.need_weights = false;
  const auto files = ergo::formats::Open(model, open);
  if (!files) return Complain(files.error());
  if (ids) {
    const auto tokenizer = ergo::tokenizer::Tokenizer::Load(*files);
    if (!tokenizer) return Complain(tokenizer.error());
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    PrintIds(tokenizer->Encode(text, options));
    return 0;
  }
  std::vector<std::string> texts;
  for (const std::string& path : paths) {
    auto text = ergo::ReadFile(path, std::size_t{1} << 30);
    if (!text) return Complain(text.error());
    texts.push_back(std::move(*text));
  }
  return PrintSpeed(*files, texts, repeats);
}
