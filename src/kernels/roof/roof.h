// What this machine can do at most: the walls that speeds are reported against.
#pragma once

namespace ergo::kernels {

/// Integer operations per second (a multiply and an add count as two) of int8 dot products on
/// `threads` threads, operands in registers; the best of several short runs. With the
/// instruction that the products of this process use.
double MeasureInt8Peak(int threads);

/// Bytes per second read from memory on `threads` threads, the best of several passes over a
/// buffer that no cache holds.
double MeasureReadBandwidth(int threads);

}  // namespace ergo::kernels
