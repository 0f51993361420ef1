// How much memory there is.
#pragma once

#include <cstddef>

namespace ergo {

/// Bytes that this process can still take without pushing others out: what the system has
/// available, or what is left of the process's cgroup if that is less. 0 where unknown.
std::size_t AvailableMemory();

}  // namespace ergo
