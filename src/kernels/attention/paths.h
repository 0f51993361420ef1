// The formats of keys and values on each path. Plain data only, see task.h.
#pragma once

#include "kernels/attention/task.h"

namespace ergo::kernels {

struct KvFormats {
  KvFormat f16;
  KvFormat bf16;
  KvFormat int12;
  KvFormat int8;
  KvFormat int4;
};

/// The reference, the same on all paths.
extern const KvFormat kKvF32;
extern const KvFormats kKvPortable;
extern const KvFormats kKvAvx2;
extern const KvFormats kKvAvx512;

}  // namespace ergo::kernels
