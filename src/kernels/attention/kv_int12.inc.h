// Keys in fixed-point int16, values in int8, one scale per token and KV head. Tile of one block of
// 64 tokens, layer and KV head (d = head_dim):
//   keys    int16 [d/2][64][2]   two consecutive dimensions of one token are a word
//   values  int8  [16][d][4]     four consecutive tokens of one dimension are a word
//   key_scale      fp32 [64]
//   value_log      fp32 [64]     log2 of the values' scale
//   value_inverse  fp32 [64]     1 / scale
// so that a vector of words is multiplied with one broadcast word of the query, or of the
// probabilities. Appending a token writes single words and bytes and never moves others.
//
// Keys have as many bits as let a dot product fit into 31, 12 to 14. Probabilities times the
// values' scales are rounded to 8 bits against the largest of their block.

struct Int12 {
  struct Tile {
    std::uint8_t* keys;
    std::uint8_t* values;
    float* key_scale;
    float* value_log;      ///< log2 of the scale
    float* value_inverse;  ///< 1 / scale
  };
  using Sum = I32;
  using Loaded = Bytes;
  static constexpr int kDims = 2;      ///< of a word of a key
  static constexpr int kSubs = 1;      ///< words in what one load of keys brings for a token
  static constexpr int kKeyBytes = 4;  ///< of that

  static Tile TileAt(std::byte* tile, std::size_t head_dim) {
    auto* keys = reinterpret_cast<std::uint8_t*>(tile);
    std::uint8_t* values = keys + 2 * kTokens * head_dim;
    auto* scales = reinterpret_cast<float*>(values + kTokens * head_dim);
    return {keys, values, scales, scales + kTokens, scales + 2 * kTokens};
  }

  static void Store(const float* key, const float* value, std::size_t head_dim, std::size_t token,
                    std::byte* at) {
    const Tile tile = TileAt(at, head_dim);
    alignas(64) std::int16_t fixed[kMaxHeadDim];
    tile.key_scale[token] = FixedPoint(key, head_dim, fixed);
    for (std::size_t i = 0; i < head_dim; i += 2) {
      __builtin_memcpy(tile.keys + 2 * i * kTokens + 4 * token, fixed + i, 4);
    }
    alignas(64) std::int8_t q[kMaxHeadDim];
    const float scale = QuantizeValue<127>(value, head_dim, q);
    tile.value_log[token] = __builtin_log2f(scale);
    tile.value_inverse[token] = 1.0f / scale;
    std::uint8_t* column = tile.values + token / 4 * 4 * head_dim + token % 4;
    for (std::size_t i = 0; i < head_dim; ++i) column[4 * i] = static_cast<std::uint8_t>(q[i]);
  }

  static QueryNumbers PrepareQuery(const float* q, std::size_t head_dim, std::uint8_t* words) {
    return {FixedPoint(q, head_dim, reinterpret_cast<std::int16_t*>(words))};
  }

  static I32 Start(std::int32_t) { return I32::Zero(); }
  static Bytes LoadKeys(const std::uint8_t* p) { return Bytes::Load(p); }
  template <int>
  static Bytes Key(Bytes loaded) {
    return loaded;
  }
  static Bytes LoadQuery(const std::uint8_t* p) {
    return Bytes::Broadcast4(reinterpret_cast<const std::int8_t*>(p));
  }
  static I32 DotKey(I32 sum, Bytes query, Bytes key) { return DotPairs(sum, query, key); }
  static F32 ScoreOf(I32 sum) { return ToF32(sum); }
  static F32 KeyScale(const Tile& tile, int token) { return F32::Load(tile.key_scale + token); }
  static F32 ValueLog(const Tile& tile, int token) { return F32::Load(tile.value_log + token); }
  /// sum + the shares that belong to weights.
  static F32 AddShare(const Tile& tile, int token, F32 weight, F32 sum) {
    return Fma(weight, F32::Load(tile.value_inverse + token), sum);
  }
};
