// Logits of token sequences, for comparing with other implementations.
//
// Reads one sequence of token ids a line from standard input; writes for every token (or with
// --last for the last one) the logits as fp32 to --out, and with --greedy N prints for every line
// the N tokens that follow when the most probable one is always taken.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "formats/model_files.h"
#include "kernels/softmax/softmax.h"
#include "model/model.h"
#include "runtime/engine.h"

namespace {

using ergo::Result;
using ergo::Status;

struct Options {
  std::string model;
  std::string compute = "source";
  std::string kv = "f32";
  std::string out;
  std::size_t greedy = 0;
  std::size_t chunk = 512;
  std::size_t context = 0;
  int threads = 0;
  bool last = false;
};

Status Greedy(ergo::runtime::Engine& engine, const std::vector<std::int32_t>& prompt,
              std::size_t count) {
  const auto sequence = engine.Add();
  std::vector<std::int32_t> next = prompt;
  std::string line;
  for (std::size_t i = 0; i < count; ++i) {
    const ergo::runtime::Work work = {sequence, next, ergo::runtime::LogitRows::kLast};
    auto logits = engine.Step({&work, 1});
    if (!logits) return ergo::Fail(std::move(logits));
    const auto row = logits->Row(0);
    next = {static_cast<std::int32_t>(ergo::kernels::ArgMax(row.data(), row.size()))};
    line += fmt::format("{}{}", i == 0 ? "" : " ", next[0]);
  }
  fmt::print("{}\n", line);
  engine.Release(sequence);
  return {};
}

Status Dump(ergo::runtime::Engine& engine, const std::vector<std::int32_t>& tokens, bool last,
            std::ostream& out) {
  const auto sequence = engine.Add();
  const std::size_t piece = 64;  // keeps the logits of all rows small
  for (std::size_t begin = 0; begin < tokens.size(); begin += last ? tokens.size() : piece) {
    auto part = std::span(tokens).subspan(begin);
    if (!last) part = part.first(std::min(piece, part.size()));
    const ergo::runtime::Work work = {
        sequence, part, last ? ergo::runtime::LogitRows::kLast : ergo::runtime::LogitRows::kAll};
    auto logits = engine.Step({&work, 1});
    if (!logits) return ergo::Fail(std::move(logits));
    out.write(reinterpret_cast<const char*>(logits->values.data()),
              static_cast<std::streamsize>(logits->values.size_bytes()));
  }
  engine.Release(sequence);
  return {};
}

Status RunAll(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  auto files = ergo::formats::Open(options.model);
  if (!files) return ergo::Fail(std::move(files));
  ergo::model::LoadOptions load;
  load.context = options.context;
  load.threads = options.threads;
  if (options.compute == "f32") load.pack = ergo::kernels::PackAs::kF32;
  if (options.compute == "int8") load.pack = ergo::kernels::PackAs::kInt8;
  if (options.compute == "int4") load.pack = ergo::kernels::PackAs::kInt4;
  for (const ergo::kernels::KvType type : ergo::kernels::KvTypes()) {
    if (options.kv == ergo::kernels::Name(type)) load.kv = type;
  }
  auto model = ergo::model::Model::Load(*files, load);
  if (!model) return ergo::Fail(std::move(model));
  ergo::runtime::EngineOptions engine_options;
  engine_options.context = options.context;
  engine_options.prompt_chunk = options.chunk;
  engine_options.threads = options.threads;
  auto engine = ergo::runtime::Engine::Create(**model, engine_options);
  if (!engine) return ergo::Fail(std::move(engine));
  const std::chrono::duration<double> loaded = std::chrono::steady_clock::now() - start;

  std::ofstream out;
  if (!options.out.empty()) out.open(options.out, std::ios::binary);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::vector<std::int32_t> tokens;
    for (std::int32_t token = 0; words >> token;) tokens.push_back(token);
    if (tokens.empty()) continue;
    if (!options.out.empty()) {
      if (auto done = Dump(**engine, tokens, options.last, out); !done) return done;
    }
    if (options.greedy == 0) continue;
    if (auto done = Greedy(**engine, tokens, options.greedy); !done) return done;
  }
  if (!options.out.empty() && !out.flush()) return ergo::Fail("cannot be written", options.out);
  const auto& timings = (*engine)->timings();
  fmt::print(stderr, "load {:.3f} s; prompt {} tokens in {:.3f} s; decode {} tokens in {:.3f} s\n",
             loaded.count(), timings.prompt_tokens, timings.prompt_seconds, timings.decode_tokens,
             timings.decode_seconds);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Logits of token sequences from standard input");
  Options options;
  app.add_option("-m,--model", options.model, "file or folder")->required();
  app.add_option("--compute", options.compute, "how weights are held")
      ->check(CLI::IsMember({"source", "f32", "int8", "int4"}));
  app.add_option("--kv", options.kv, "how keys and values are held")
      ->check(CLI::IsMember({"f32", "f16", "bf16", "int12", "int8", "int4"}));
  app.add_option("--out", options.out, "file for the logits");
  app.add_option("--greedy", options.greedy, "tokens to generate after each line");
  app.add_option("--chunk", options.chunk, "rows computed at once");
  app.add_option("--context", options.context, "tokens to make room for");
  app.add_option("-t,--threads", options.threads, "threads");
  app.add_flag("--last", options.last, "logits of the last token only");
  CLI11_PARSE(app, argc, argv);
  if (auto done = RunAll(options); !done) {
    fmt::print(stderr, "{}\n", done.error().Message());
    return 1;
  }
  return 0;
}
