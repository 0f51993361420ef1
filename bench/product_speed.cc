// Speed of the products by number format and row count, beside the int8 peak and the read bandwidth
// measured in the same run.
//   product_speed [inputs] [outputs] [threads]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <vector>

#include "base/compute_pool.h"
#include "kernels/matmul/matmul.h"
#include "kernels/roof/roof.h"

namespace {

using ergo::ComputePool;
using ergo::DType;
using ergo::TensorView;
using ergo::Worker;
using ergo::kernels::Activations;
using ergo::kernels::PackedMatrix;
using ergo::kernels::Product;

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Random bytes that are finite in every format: half floats of moderate size are what matters, so
/// exponents are masked.
std::vector<std::byte> RandomBlocks(std::size_t bytes) {
  std::mt19937_64 random(1);
  std::vector<std::byte> data(bytes);
  for (std::byte& b : data) b = static_cast<std::byte>((random() & 0x3B) | 0x20);
  return data;
}

struct Case {
  std::vector<PackedMatrix> copies;  ///< together larger than the caches, for one row
  std::size_t inputs = 0;
  std::size_t outputs = 0;
};

/// Median seconds of one product over all copies, per copy.
double Time(const Case& c, std::size_t rows, int threads) {
  Activations in;
  in.Reset(rows, c.inputs, !c.copies[0].reads_int8(), c.copies[0].reads_int8());
  std::vector<float> row(c.inputs);
  std::mt19937 random(2);
  for (std::size_t r = 0; r < rows; ++r) {
    for (float& x : row) x = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
    in.SetRow(r, row.data());
  }
  std::vector<float> out(rows * c.outputs);
  std::vector<double> times;
  const double begin = Now();
  while (times.size() < 5 || (Now() - begin < 0.4 && times.size() < 100)) {
    const double start = Now();
    ComputePool::Shared().Run(threads, [&](Worker& worker) {
      for (const PackedMatrix& matrix : c.copies) {
        const Product product{&matrix, out.data(), c.outputs};
        ergo::kernels::MatMul(worker, in, {&product, 1});
        worker.Barrier();
      }
    });
    times.push_back((Now() - start) / static_cast<double>(c.copies.size()));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t inputs = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1536;
  const std::size_t outputs = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1536;
  const int threads = argc > 3 ? std::atoi(argv[3]) : ComputePool::Shared().size();
  const double peak = ergo::kernels::MeasureInt8Peak(threads);
  const double bandwidth = ergo::kernels::MeasureReadBandwidth(threads);
  fmt::print("inputs {} outputs {} threads {}: int8 peak {:.0f} GOP/s, read {:.1f} GB/s\n", inputs,
             outputs, threads, peak / 1e9, bandwidth / 1e9);
  fmt::print("{:6} {:>5} {:>10} {:>9} {:>7} {:>8} {:>7}\n", "format", "rows", "us", "GOP/s", "peak",
             "GB/s", "wall");
  for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ8_0, DType::kQ4K,
                            DType::kQ5K, DType::kQ6K, DType::kF16, DType::kF32}) {
    if (inputs % ergo::Info(dtype).block_elements != 0) continue;
    const std::size_t bytes = *ergo::BytesFor(dtype, inputs * outputs);
    const std::vector<std::byte> data = RandomBlocks(bytes);
    const TensorView view{
        "random", dtype, {static_cast<long>(outputs), static_cast<long>(inputs)}, data};
    Case c;
    c.inputs = inputs;
    c.outputs = outputs;
    const std::size_t copies = std::max<std::size_t>(1, (std::size_t{200} << 20) / bytes);
    for (std::size_t i = 0; i < copies; ++i) {
      auto matrix = PackedMatrix::Create(view);
      if (!matrix) {
        fmt::print("{}\n", matrix.error().Message());
        return 1;
      }
      matrix->PackPanels(0, matrix->panels());
      c.copies.push_back(std::move(*matrix));
    }
    double one = 0.0;
    for (const std::size_t rows : {1, 2, 4, 8, 16, 64, 512}) {
      Case few;
      few.inputs = inputs;
      few.outputs = outputs;
      if (rows > 16) {
        while (few.copies.size() < 4 && !c.copies.empty()) {
          few.copies.push_back(std::move(c.copies.back()));
          c.copies.pop_back();
        }
      }
      const Case& used = rows > 16 ? few : c;
      const double seconds = Time(used, rows, threads);
      if (rows == 1) one = seconds;
      const double ops = 2.0 * static_cast<double>(rows * inputs * outputs) / seconds;
      const double read = static_cast<double>(used.copies[0].bytes()) / seconds;
      fmt::print("{:6} {:5} {:10.1f} {:9.0f} {:6.1f}% {:8.1f} {:6.1f}%  {:.2f}x one row\n",
                 ergo::Info(dtype).name, rows, seconds * 1e6, ops / 1e9, 100 * ops / peak,
                 read / 1e9, 100 * read / bandwidth, static_cast<double>(rows) * one / seconds);
      for (PackedMatrix& matrix : few.copies) c.copies.push_back(std::move(matrix));
    }
  }
}
