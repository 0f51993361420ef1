// What this processor can do, and which of our code paths runs on it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ergo {

/// Code paths of the kernels, each a superset of the one before.
enum class CpuPath {
  kPortable,  ///< any x86-64 or other 64-bit machine
  kAvx2,      ///< AVX2, FMA, F16C
  kAvx512,    ///< AVX-512 F, BW, DQ, VL and VNNI
  kAmx,       ///< AMX tiles of int8
};

struct CpuFeatures {
  bool avx2 = false;  ///< with FMA, F16C and BMI2
  bool avx_vnni = false;
  bool avx512 = false;  ///< F, BW, DQ, VL
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool amx_int8 = false;  ///< and the kernel grants the tile state
  bool amx_bf16 = false;
};

/// Measured once; whether the operating system saves the registers is part of it.
const CpuFeatures& HostCpu();

/// Names of the features that the host has, for reports.
std::vector<std::string> FeatureNames(const CpuFeatures& features);

std::string_view Name(CpuPath path);

/// The fastest path that the host can run, or the one that the environment variable ERGO_CPU
/// names (portable, avx2, avx512, amx). Errors: unknown name, path that the host cannot run.
Result<CpuPath> ChooseCpuPath();

/// Whether the host can run `path`.
bool CanRun(CpuPath path);

/// Processors that this process may use: affinity and cgroup quota, at least 1.
int UsableProcessors();

}  // namespace ergo
