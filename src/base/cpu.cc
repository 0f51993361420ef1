#include "base/cpu.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace ergo {
namespace {

#if defined(__x86_64__)

std::uint64_t Xcr0() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32 | low;
}

/// Asks the Linux kernel for the AMX tile data state, which a process must request once.
bool GrantTiles() {
  constexpr int kArchReqXcompPerm = 0x1023;
  constexpr int kXfeatureTileData = 18;
  return ::syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureTileData) == 0;
}

CpuFeatures Detect() {
  CpuFeatures out;
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return out;
  const bool fma = c >> 12 & 1;
  const bool f16c = c >> 29 & 1;
  const std::uint64_t saved = Xcr0();
  const bool ymm = (saved & 0x6) == 0x6;
  const bool zmm = (saved & 0xE6) == 0xE6;
  const bool tiles = (saved & 0x60000) == 0x60000;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return out;
  out.avx2 = ymm && fma && f16c && (b >> 5 & 1) && (b >> 8 & 1);
  out.avx512 = out.avx2 && zmm && (b >> 16 & 1) && (b >> 17 & 1) && (b >> 30 & 1) && (b >> 31 & 1);
  out.avx512_vnni = out.avx512 && (c >> 11 & 1);
  const bool amx = tiles && (d >> 24 & 1) && GrantTiles();
  out.amx_int8 = amx && (d >> 25 & 1);
  out.amx_bf16 = amx && (d >> 22 & 1);
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) {
    out.avx_vnni = out.avx2 && (a >> 4 & 1);
    out.avx512_bf16 = out.avx512 && (a >> 5 & 1);
  }
  return out;
}

#else

CpuFeatures Detect() { return {}; }

#endif

constexpr std::array<std::string_view, 4> kNames = {"portable", "avx2", "avx512", "amx"};

/// Processors that the cgroup's CPU quota amounts to, or a large number without one.
double CgroupLimit() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period && quota != "max" && period > 0) {
    return std::strtod(quota.c_str(), nullptr) / period;
  }
  std::ifstream v1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double value = -1;
  if (v1 >> value && v1_period >> period && value > 0 && period > 0) return value / period;
  return 1e9;
}

}  // namespace

const CpuFeatures& HostCpu() {
  static const CpuFeatures features = Detect();
  return features;
}

std::vector<std::string> FeatureNames(const CpuFeatures& features) {
  std::vector<std::string> names;
  const auto add = [&](bool has, const char* name) {
    if (has) names.emplace_back(name);
  };
  add(features.avx2, "avx2");
  add(features.avx_vnni, "avx_vnni");
  add(features.avx512, "avx512");
  add(features.avx512_vnni, "avx512_vnni");
  add(features.avx512_bf16, "avx512_bf16");
  add(features.amx_int8, "amx_int8");
  add(features.amx_bf16, "amx_bf16");
  return names;
}

std::string_view Name(CpuPath path) { return kNames[static_cast<std::size_t>(path)]; }

bool CanRun(CpuPath path) {
  const CpuFeatures& host = HostCpu();
  switch (path) {
    case CpuPath::kPortable:
      return true;
    case CpuPath::kAvx2:
      return host.avx2;
    case CpuPath::kAvx512:
      return host.avx512_vnni;
    case CpuPath::kAmx:
      return host.avx512_vnni && host.amx_int8;
  }
  return false;
}

Result<CpuPath> ChooseCpuPath() {
  const char* forced = std::getenv("ERGO_CPU");
  if (forced == nullptr || *forced == '\0') {
    for (const CpuPath path : {CpuPath::kAmx, CpuPath::kAvx512, CpuPath::kAvx2}) {
      if (CanRun(path)) return path;
    }
    return CpuPath::kPortable;
  }
  const auto found = std::find(kNames.begin(), kNames.end(), std::string_view(forced));
  if (found == kNames.end()) {
    return Fail("unknown path \"" + std::string(forced) + "\"", "ERGO_CPU",
                "use portable, avx2, avx512 or amx");
  }
  const auto path = static_cast<CpuPath>(found - kNames.begin());
  if (!CanRun(path)) {
    return Fail("this processor cannot run the path \"" + std::string(forced) + "\"", "ERGO_CPU",
                "unset it, or name a lower path");
  }
  return path;
}

int UsableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int allowed = 0;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) allowed = CPU_COUNT(&set);
  if (allowed < 1) allowed = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const double limit = std::ceil(CgroupLimit());
  return limit < allowed ? std::max(1, static_cast<int>(limit)) : allowed;
}

}  // namespace ergo
