// Which system calls a sandboxed program may make.
#pragma once

#include <string>

#include "base/result.h"

namespace ergo::reasoning {

/// A BPF program for seccomp, in the bytes that `bwrap --seccomp` reads: files, memory, threads and
/// clocks are allowed; everything else (sockets, keys, ptrace, mounts, namespaces, bpf, …) fails
/// with EPERM. Without `processes` fork and vfork fail too.
Result<std::string> SeccompFilter(bool processes);

}  // namespace ergo::reasoning
