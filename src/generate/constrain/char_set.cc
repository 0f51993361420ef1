#include "generate/constrain/char_set.h"

#include <algorithm>

namespace ergo::generate::constrain {
namespace {

constexpr std::uint32_t kFirstSurrogate = 0xD800;
constexpr std::uint32_t kLastSurrogate = 0xDFFF;

/// Inserts a range that holds no surrogates into sorted ranges, joining what touches.
void Insert(CharRange added, std::vector<CharRange>* ranges) {
  auto first = std::lower_bound(
      ranges->begin(), ranges->end(), added.first,
      [](const CharRange& range, std::uint32_t value) { return range.last + 1 < value; });
  auto last = first;
  while (last != ranges->end() && last->first <= added.last + 1) {
    added.first = std::min(added.first, last->first);
    added.last = std::max(added.last, last->last);
    ++last;
  }
  if (first == last) {
    ranges->insert(first, added);
  } else {
    *first = added;
    ranges->erase(first + 1, last);
  }
}

std::size_t Utf8Bytes(std::uint32_t code_point) {
  if (code_point < 0x80) return 1;
  if (code_point < 0x800) return 2;
  return code_point < 0x10000 ? 3 : 4;
}

std::array<std::uint8_t, 4> Encode(std::uint32_t code_point, std::size_t size) {
  std::array<std::uint8_t, 4> bytes{};
  constexpr std::array<std::uint8_t, 5> kLead = {0, 0, 0xC0, 0xE0, 0xF0};
  for (std::size_t i = size; i-- > 1;) {
    bytes[i] = static_cast<std::uint8_t>(0x80U | (code_point & 0x3FU));
    code_point >>= 6;
  }
  bytes[0] = static_cast<std::uint8_t>(kLead[size] | code_point);
  return bytes;
}

/// Splits [first, last], all of one length in UTF-8, until the last `k` bytes of each part run
/// through all their values or are the same.
void Split(std::uint32_t first, std::uint32_t last, std::size_t size,
           std::vector<ByteSequence>* out) {
  for (std::size_t tail = 1; tail < size; ++tail) {
    const std::uint32_t mask = (1U << (6 * tail)) - 1;
    if ((first & ~mask) == (last & ~mask)) continue;
    if ((first & mask) != 0) {
      Split(first, first | mask, size, out);
      Split((first | mask) + 1, last, size, out);
      return;
    }
    if ((last & mask) != mask) {
      Split(first, (last & ~mask) - 1, size, out);
      Split(last & ~mask, last, size, out);
      return;
    }
  }
  const auto low = Encode(first, size);
  const auto high = Encode(last, size);
  ByteSequence sequence;
  sequence.size = size;
  for (std::size_t i = 0; i < size; ++i) sequence.bytes[i] = {low[i], high[i]};
  out->push_back(sequence);
}

}  // namespace

CharSet CharSet::Of(std::uint32_t first, std::uint32_t last) {
  CharSet set;
  set.Add(first, last);
  return set;
}

void CharSet::Add(std::uint32_t first, std::uint32_t last) {
  last = std::min(last, kMaxCodePoint);
  if (first > last) return;
  if (first < kFirstSurrogate) Insert({first, std::min(last, kFirstSurrogate - 1)}, &ranges_);
  if (last > kLastSurrogate) Insert({std::max(first, kLastSurrogate + 1), last}, &ranges_);
}

void CharSet::Add(const CharSet& other) {
  if (ranges_.empty()) {
    ranges_ = other.ranges_;
    return;
  }
  for (const CharRange& range : other.ranges_) Insert(range, &ranges_);
}

CharSet CharSet::Complement() const {
  CharSet result;
  std::uint32_t next = 0;
  for (const CharRange& range : ranges_) {
    if (range.first > next) result.Add(next, range.first - 1);
    next = range.last + 1;
  }
  result.Add(next, kMaxCodePoint);
  return result;
}

CharSet CharSet::Intersect(const CharSet& other) const {
  CharSet result;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < ranges_.size() && j < other.ranges_.size()) {
    const CharRange& a = ranges_[i];
    const CharRange& b = other.ranges_[j];
    result.Add(std::max(a.first, b.first), std::min(a.last, b.last));
    if (a.last < b.last) {
      ++i;
    } else {
      ++j;
    }
  }
  return result;
}

bool CharSet::Contains(std::uint32_t code_point) const {
  const auto range = std::lower_bound(
      ranges_.begin(), ranges_.end(), code_point,
      [](const CharRange& candidate, std::uint32_t value) { return candidate.last < value; });
  return range != ranges_.end() && range->first <= code_point;
}

std::size_t CharSet::count() const {
  std::size_t total = 0;
  for (const CharRange& range : ranges_) total += range.last - range.first + 1;
  return total;
}

bool CharSet::operator==(const CharSet& other) const {
  return std::equal(ranges_.begin(), ranges_.end(), other.ranges_.begin(), other.ranges_.end(),
                    [](const CharRange& a, const CharRange& b) {
                      return a.first == b.first && a.last == b.last;
                    });
}

std::vector<ByteSequence> Utf8Sequences(const CharSet& set) {
  std::vector<ByteSequence> sequences;
  constexpr std::array<std::uint32_t, 4> kLastOfLength = {0x7F, 0x7FF, 0xFFFF, kMaxCodePoint};
  for (const CharRange& range : set.ranges()) {
    std::uint32_t first = range.first;
    while (first <= range.last) {
      const std::size_t size = Utf8Bytes(first);
      const std::uint32_t last = std::min(range.last, kLastOfLength[size - 1]);
      Split(first, last, size, &sequences);
      first = last + 1;
    }
  }
  return sequences;
}

}  // namespace ergo::generate::constrain
