// What formats of whole numbers with one scale per token and KV head have in common. Their tiles:
//   keys           dimensions of one token in words of four bytes, [words][64]
//   values         four tokens of a dimension in a word, [16][lanes]
//   key_scale      fp32 [64]
//   value_log      fp32 [64]     log2 of the values' scale
//   value_inverse  fp32 [64]     1 / scale
// so that a vector of words is multiplied with one broadcast word of the query, or of the
// probabilities. Appending a token writes single words and bytes and never moves others.

struct Scaled {
  struct Tile {
    std::uint8_t* keys;
    std::uint8_t* values;
    float* key_scale;
    float* value_log;
    float* value_inverse;
  };
  using Sum = I32;
  using Loaded = Bytes;
  static constexpr bool kFloats = false;

  static Tile TileOf(std::byte* at, std::size_t key_bytes, std::size_t value_bytes) {
    auto* keys = reinterpret_cast<std::uint8_t*>(at);
    auto* scales = reinterpret_cast<float*>(keys + key_bytes + value_bytes);
    return {keys, keys + key_bytes, scales, scales + kTokens, scales + 2 * kTokens};
  }

  static void StoreValueScale(const Tile& tile, std::size_t token, float scale) {
    tile.value_log[token] = __builtin_log2f(scale);
    tile.value_inverse[token] = 1.0f / scale;
  }

  static I32 Start(std::int32_t start) { return I32::Set(start); }
  static Bytes LoadQuery(const std::uint8_t* p) {
    return Bytes::Broadcast4(reinterpret_cast<const std::int8_t*>(p));
  }
  static I32 DotKey(I32 sum, Bytes query, Bytes key) { return DotPairs(sum, query, key); }
  static F32 ScoreOf(const Tile& tile, int token, I32 sum) {
    return ToF32(sum) * F32::Load(tile.key_scale + token);
  }
  static F32 ValueLog(const Tile& tile, int token) { return F32::Load(tile.value_log + token); }
  /// sum + the shares that belong to weights.
  static F32 AddShare(const Tile& tile, int token, F32 weight, F32 sum) {
    return Fma(weight, F32::Load(tile.value_inverse + token), sum);
  }
  static Bytes LoadValues(const std::uint8_t* p) { return Bytes::Load(p); }
  static void FinishOut(float*, std::size_t) {}
};

/// Values in int8, [16][head_dim][4]: four consecutive tokens of one dimension are a word.
struct Int8Values : Scaled {
  static constexpr int kValueSubs = 1;  ///< words in what one load of values brings
  /// Lanes of a row of values, and the dimension that a lane's word kSub belongs to.
  static std::size_t ValueLanes(std::size_t head_dim) { return head_dim; }
  template <int>
  static std::size_t DimOf(std::size_t lane) {
    return lane;
  }
  template <int>
  static Bytes Value(Bytes loaded) {
    return loaded;
  }
  static void StoreValue(const Tile& tile, const float* value, std::size_t head_dim,
                         std::size_t token) {
    alignas(64) float padded[kMaxHeadDim];
    alignas(64) std::int8_t q[kMaxHeadDim];
    const std::size_t n = CopyPadded(value, head_dim, padded);
    StoreValueScale(tile, token, QuantizeValue<127>(padded, n, q));
    std::uint8_t* column = tile.values + token / 4 * 4 * head_dim + token % 4;
    for (std::size_t i = 0; i < head_dim; ++i) column[4 * i] = static_cast<std::uint8_t>(q[i]);
  }
};
