#include "base/content_hash.h"

#include <gtest/gtest.h>

namespace ergo {
namespace {

TEST(ContentHash, HasTheValuesOfXxh3) {
  // From the reference vectors of xxHash 0.8: the empty input, and seed 0.
  const ContentHash empty;
  EXPECT_EQ(empty.Short(), 0x2d06800538d394c2u);
  EXPECT_EQ(empty.Hex(), "99aa06d3014798d86001c324468d497f");
}

TEST(ContentHash, PiecesDoNotMatterUnlessSized) {
  const std::string text(100000, 'x');
  ContentHash whole;
  whole.Add(text);
  ContentHash pieces;
  for (std::size_t i = 0; i < text.size(); i += 777) {
    pieces.Add(std::string_view(text).substr(i, 777));
  }
  EXPECT_EQ(whole.Hex(), pieces.Hex());
  EXPECT_EQ(whole.Short(), pieces.Short());
  ContentHash one;
  one.AddSized("ab");
  one.AddSized("c");
  ContentHash other;
  other.AddSized("a");
  other.AddSized("bc");
  EXPECT_NE(one.Hex(), other.Hex());
  EXPECT_NE(one.Short(), other.Short());
}

}  // namespace
}  // namespace ergo
