// Keys and values in 16-bit floats, products and sums in fp32. Tile of one block of 64 tokens,
// layer and KV head:
//   values  [64][head_dim]
//   keys    [head_dim][64]
// Values come first: whole vectors of them are read, and the last one ends in the keys.

template <typename Number>
struct Half {
  struct Tile {
    std::uint8_t* keys;
    std::uint8_t* values;
  };
  using Sum = F32;
  using Loaded = F32;
  static constexpr bool kFloats = true;
  static constexpr int kDims = 1;
  static constexpr int kSubs = 1;
  static constexpr std::size_t kKeyBytes = 2;

  static Tile TileAt(std::byte* at, std::size_t head_dim) {
    auto* values = reinterpret_cast<std::uint8_t*>(at);
    return {values + 2 * kTokens * head_dim, values};
  }

  static void Store(const float* key, const float* value, std::size_t head_dim, std::size_t token,
                    std::byte* at) {
    const Tile tile = TileAt(at, head_dim);
    alignas(64) float padded[kMaxHeadDim];
    alignas(64) std::uint16_t halves[kMaxHeadDim];
    const auto convert = [&](const float* x) {
      const std::size_t n = CopyPadded(x, head_dim, padded);
      for (std::size_t i = 0; i < n; i += Vec::kLanes) {
        Number::Store(F32::Load(padded + i), halves + i);
      }
    };
    convert(key);
    for (std::size_t i = 0; i < head_dim; ++i) {
      __builtin_memcpy(tile.keys + 2 * (i * kTokens + token), halves + i, 2);
    }
    convert(value);
    __builtin_memcpy(tile.values + 2 * token * head_dim, halves, 2 * head_dim);
  }

  static QueryNumbers PrepareQuery(const float* q, std::size_t head_dim, std::uint8_t* words) {
    CopyPadded(q, head_dim, reinterpret_cast<float*>(words));
    return {1.0f, 0};
  }

  static F32 Start(std::int32_t) { return F32::Zero(); }
  static F32 LoadKeys(const std::uint8_t* p) {
    return Number::Load(reinterpret_cast<const std::uint16_t*>(p));
  }
  template <int>
  static F32 Key(F32 loaded) {
    return loaded;
  }
  static F32 LoadQuery(const std::uint8_t* p) {
    float x;
    __builtin_memcpy(&x, p, 4);
    return F32::Set(x);
  }
  static F32 DotKey(F32 sum, F32 query, F32 key) { return Fma(query, key, sum); }
  static F32 ScoreOf(const Tile&, int, F32 sum) { return sum; }
  static F32 ValueLog(const Tile&, int) { return F32::Zero(); }
  static F32 AddShare(const Tile&, int, F32 weight, F32 sum) { return sum + weight; }
  static F32 LoadValues(const std::uint8_t* values, std::size_t at) {
    return Number::Load(reinterpret_cast<const std::uint16_t*>(values) + at);
  }
  static void FinishOut(float*, std::size_t) {}
};

struct F16 {
  static F32 Load(const std::uint16_t* p) { return F32::LoadF16(p); }
  static void Store(F32 x, std::uint16_t* p) { StoreF16(x, p); }
};
struct Bf16 {
  static F32 Load(const std::uint16_t* p) { return F32::LoadBf16(p); }
  static void Store(F32 x, std::uint16_t* p) { StoreBf16(x, p); }
};
