// How fast this machine reads memory: the wall that decoding runs into.
#pragma once

namespace ergo::cli {

/// Bytes per second that `threads` threads of the compute pool read from a buffer larger than the
/// caches: the best of several passes. Takes about a quarter of a second and 256 MiB; 0 when there
/// is no such memory.
double MeasureReadBandwidth(int threads);

}  // namespace ergo::cli
