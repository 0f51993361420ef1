// Keys and values in int8.
//   keys    int8 [head_dim/2][64][2]   two consecutive dimensions of one token
// Keys are widened as they are loaded, once for all vectors, and meet queries of 15 bits: a query
// in 8 would add as much error again as the keys have, and a query is not what takes memory.

struct Int8 : Int8Values {
  static constexpr int kDims = 2;
  static constexpr int kSubs = 1;
  static constexpr std::size_t kKeyBytes = 2;

  static Tile TileAt(std::byte* at, std::size_t head_dim) {
    return TileOf(at, kTokens * head_dim, kTokens * head_dim);
  }

  static void Store(const float* key, const float* value, std::size_t head_dim, std::size_t token,
                    std::byte* at) {
    const Tile tile = TileAt(at, head_dim);
    alignas(64) std::int16_t fixed[kMaxHeadDim];
    tile.key_scale[token] = FixedPoint(key, head_dim, 127.0f, fixed);
    for (std::size_t i = 0; i < head_dim; i += 2) {
      std::uint8_t* pair = tile.keys + i * kTokens + 2 * token;
      pair[0] = static_cast<std::uint8_t>(fixed[i]);
      pair[1] = static_cast<std::uint8_t>(fixed[i + 1]);
    }
    StoreValue(tile, value, head_dim, token);
  }

  /// 127 · 32767 · head_dim is below 2^31.
  static QueryNumbers PrepareQuery(const float* q, std::size_t head_dim, std::uint8_t* words) {
    return {FixedPoint(q, head_dim, 32767.0f, reinterpret_cast<std::int16_t*>(words)), 0};
  }

  static Bytes LoadKeys(const std::uint8_t* p) { return WidenToPairs(p); }
  template <int>
  static Bytes Key(Bytes loaded) {
    return loaded;
  }
};
