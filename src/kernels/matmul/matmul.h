// Products of activations with weight matrices: out[r][o] = Σ_k in[r][k] · w[o][k].
//
// Weights are packed once into panels of 32 outputs (layout: see quant/<type>.h); activations are
// held as fp32 or as int8 with one scale per 32 values, whichever the weights' kernel reads. The
// result for a row depends on that row and the code path alone, bit for bit: not on the other
// rows, the number of threads or the order in which panels are claimed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/compute_pool.h"
#include "base/result.h"
#include "tensor/tensor_view.h"

namespace ergo::kernels {

/// Outputs that share a panel.
inline constexpr std::size_t kPanelOutputs = 32;

enum class PackAs {
  kSource,  ///< the file's own values and scales, exactly
  kF32,     ///< dequantized to fp32: the reference that everything else is measured against
  kInt8,    ///< one fp16 scale per 32 values (Q8_0)
  kInt4,    ///< one fp16 scale and minimum per 32 values (Q4_1)
};

/// The format in which a matrix of the file's format `source` is packed.
DType PackedDType(DType source, PackAs as);

class PackedMatrix {
 public:
  PackedMatrix();
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  /// Reserves the panels for `source` [outputs, inputs], whose data must live until PackPanels has
  /// been called for every panel. Errors: not two dimensions, a dtype without a kernel, inputs that
  /// are not whole blocks, out of memory.
  static Result<PackedMatrix> Create(const TensorView& source, PackAs as = PackAs::kSource);

  /// Fills panels [begin, end); any threads, each panel once.
  void PackPanels(std::size_t begin, std::size_t end);

  std::size_t outputs() const;
  std::size_t inputs() const;
  std::size_t panels() const;
  /// Bytes of the packed panels: what one token reads.
  std::size_t bytes() const;
  /// Format of the packed values: the file's, F32, Q8_0 or Q4_1.
  DType dtype() const;
  /// Whether the kernel reads int8 activations (block formats) or fp32 ones.
  bool reads_int8() const;
  /// For reports: "avx512 vnni int8", "portable f32", …
  std::string_view kernel() const;

  /// Implementation, for the kernels.
  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// The rows that go into a product.
class Activations {
 public:
  Activations();
  ~Activations();
  Activations(Activations&&) noexcept;
  Activations& operator=(Activations&&) noexcept;

  /// Makes room for `rows` of `inputs` values in the forms asked for. One thread, between phases;
  /// memory only grows. Contents are undefined afterwards.
  void Reset(std::size_t rows, std::size_t inputs, bool as_f32, bool as_int8);

  /// Sets one row; any thread, each row by one thread at a time.
  void SetRow(std::size_t row, const float* values);

  /// Sets inputs [first, first + values.size()) of one row; `first` is a multiple of 32, and so is
  /// the size but at the end of the row.
  void SetPart(std::size_t row, std::size_t first, std::span<const float> values);

  std::size_t rows() const;
  std::size_t inputs() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// One product of a phase; `out` has a row of `out_stride` floats for each activation row.
struct Product {
  const PackedMatrix* weights;
  float* out;
  std::size_t out_stride;
};

/// Computes all products of one input together, every thread of the run calling it. A phase of
/// its own: Barrier before (input complete) and after (output complete).
void MatMul(Worker& worker, const Activations& in, std::span<const Product> products);

/// What rounding to int8 takes from the rows of a product's input: from the kKept blocks of 32 of
/// each row that lose most. A few channels of a trained model's rows are many times larger than the
/// others, and rounding is coarse beside them; where that shows, in the logits, it is made up for.
class Remainders {
 public:
  static constexpr std::size_t kKept = 2;

  Remainders();
  ~Remainders();
  Remainders(Remainders&&) noexcept;
  Remainders& operator=(Remainders&&) noexcept;

  /// As Activations::Reset; `inputs` is a multiple of 32.
  void Reset(std::size_t rows, std::size_t inputs);

  /// Sets the row of `in` as its SetRow does, and keeps its remainder.
  void SetRow(std::size_t row, std::span<const float> values, Activations& in);

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Whether weights can be multiplied with remainders: formats with blocks of 32.
bool TakesRemainders(const PackedMatrix& weights);

/// As MatMul of one product, of the input and its remainders.
void MatMul(Worker& worker, const Activations& in, const Remainders& rest, const Product& product);

enum class Gating {
  kSilu,      ///< SwiGLU
  kGeluTanh,  ///< GeGLU
};

/// The first half of a gated feed-forward layer. Both matrices have the same outputs; biases
/// [outputs] may be null.
struct GatedProduct {
  const PackedMatrix* gate;
  const PackedMatrix* up;
  const float* gate_bias;
  const float* up_bias;
  Gating gating;
};

/// Sets the rows of `out`, which has room for in.rows() rows of as many inputs as `product` has
/// outputs, to activation(gate(in)) · up(in), every thread of the run calling it. A phase of its
/// own, as MatMul. The values are those of MatMul, the element-wise functions and SetRow, bit for
/// bit, but never leave the cache.
void GatedMatMul(Worker& worker, const Activations& in, const GatedProduct& product,
                 Activations& out);

/// Whether DecodeRow knows the type: F32, F16, BF16, F64 and the block formats.
bool CanDecode(DType dtype);

/// Writes row `row` of `table` [rows, columns] (an embedding, any dtype that has a decoder) as
/// fp32. The row must exist, and hold whole blocks.
void DecodeRow(const TensorView& table, std::size_t row, float* out);

}  // namespace ergo::kernels
