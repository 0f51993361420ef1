#include "base/memory.h"

#include <gtest/gtest.h>
#include <sys/sysinfo.h>

namespace ergo {
namespace {

TEST(Memory, IsSomeOfWhatTheMachineHas) {
  struct sysinfo info = {};
  ASSERT_EQ(::sysinfo(&info), 0);
  EXPECT_GT(AvailableMemory(), std::size_t{1} << 20);
  EXPECT_LE(AvailableMemory(), static_cast<std::size_t>(info.totalram) * info.mem_unit);
}

}  // namespace
}  // namespace ergo
