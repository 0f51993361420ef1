// Fixtures that tools/make_format_fixtures.py made with the formats' own packages.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>

#include "base/json.h"
#include "formats/testing/temp_folder.h"
#include "tensor/tensor_view.h"

namespace ergo::formats::testing {

inline std::string GoldenPath(const std::string& name) {
  return std::string(ERGO_SOURCE_DIR) + "/tests/golden/formats/" + name;
}

/// 64-bit FNV-1a in hexadecimal.
inline std::string Fnv1a(std::span<const std::byte> bytes) {
  std::uint64_t value = 0xCBF29CE484222325;
  for (const std::byte byte : bytes) {
    value = (value ^ static_cast<std::uint64_t>(byte)) * 0x100000001B3;
  }
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

/// Compares names, types, shapes and bytes with what the packages wrote into `file`.
inline void ExpectTensors(const std::vector<TensorView>& tensors, const std::string& file) {
  const auto expected = ParseJson(Slurp(GoldenPath("expected.json")), "expected.json");
  ASSERT_TRUE(expected) << expected.error().Message();
  const Json& list = expected->at(file);
  EXPECT_EQ(tensors.size(), list.size());
  for (const Json& one : list) {
    const std::string name = one.at("name");
    SCOPED_TRACE(name);
    const auto found = std::find_if(tensors.begin(), tensors.end(),
                                    [&](const TensorView& t) { return t.name == name; });
    ASSERT_NE(found, tensors.end());
    EXPECT_EQ(Info(found->dtype).name, one.at("dtype").get<std::string>());
    EXPECT_EQ(found->shape, one.at("shape").get<std::vector<std::int64_t>>());
    EXPECT_EQ(found->data.size(), one.at("bytes").get<std::size_t>());
    EXPECT_EQ(Fnv1a(found->data), one.at("fnv").get<std::string>());
  }
}

/// One line that names the file and says what to do.
inline void ExpectClear(const Error& error, const std::string& file) {
  EXPECT_EQ(error.Message().find('\n'), std::string::npos) << error.Message();
  EXPECT_NE(error.where.find(file), std::string::npos) << error.Message();
  EXPECT_FALSE(error.what.empty());
  EXPECT_FALSE(error.remedy.empty()) << error.Message();
}

}  // namespace ergo::formats::testing
