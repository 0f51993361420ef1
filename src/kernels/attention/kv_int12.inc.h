// Keys in fixed-point int16, values in int8.
//   keys    int16 [head_dim/2][64][2]   two consecutive dimensions of one token are a word
// Keys have as many bits as let a dot product fit into 31: 12 to 14.

struct Int12 : Int8Values {
  static constexpr int kDims = 2;  ///< in a word
  static constexpr int kSubs = 1;  ///< words in what one load of keys brings for a token
  static constexpr std::size_t kKeyBytes = 4;  ///< of that

  static Tile TileAt(std::byte* at, std::size_t head_dim) {
    return TileOf(at, 2 * kTokens * head_dim, kTokens * head_dim);
  }

  static void Store(const float* key, const float* value, std::size_t head_dim, std::size_t token,
                    std::byte* at) {
    const Tile tile = TileAt(at, head_dim);
    alignas(64) std::int16_t fixed[kMaxHeadDim];
    tile.key_scale[token] = FixedPoint(key, head_dim, LargestFixed(head_dim), fixed);
    for (std::size_t i = 0; i < head_dim; i += 2) {
      __builtin_memcpy(tile.keys + 2 * i * kTokens + 4 * token, fixed + i, 4);
    }
    StoreValue(tile, value, head_dim, token);
  }

  static QueryNumbers PrepareQuery(const float* q, std::size_t head_dim, std::uint8_t* words) {
    return {FixedPoint(q, head_dim, LargestFixed(head_dim), reinterpret_cast<std::int16_t*>(words)),
            0};
  }

  static Bytes LoadKeys(const std::uint8_t* p) { return Bytes::Load(p); }
  template <int>
  static Bytes Key(Bytes loaded) {
    return loaded;
  }
};
