// Keys and values in 4 bits, as q + 8 with q in [-7, 7].
//   keys    [⌈head_dim/8⌉][64] words   dimensions 0 2 4 6 1 3 5 7 of eight, from the lowest bits on
//   values  [16][⌈head_dim/32⌉][16][4]  of four tokens a byte each: of 32 dimensions i and 16 + i
// No two tokens share a byte: several threads may store them at a time. Values are turned like
// keys, and the sum of values back at the end.

struct Int4 : Scaled {
  static constexpr int kDims = 2;
  static constexpr int kSubs = 4;
  static constexpr std::size_t kKeyBytes = 4;
  static constexpr int kValueSubs = 2;

  static std::size_t KeyWords(std::size_t head_dim) { return (head_dim + 7) / 8; }
  static Tile TileAt(std::byte* at, std::size_t head_dim) {
    return TileOf(at, 4 * kTokens * KeyWords(head_dim), kTokens * ValueLanes(head_dim));
  }

  static std::size_t ValueLanes(std::size_t head_dim) { return (head_dim + 31) / 32 * 16; }
  template <int kSub>
  static std::size_t DimOf(std::size_t lane) {
    return lane / 16 * 32 + kSub * 16 + lane % 16;
  }

  /// Numbers in [-7, 7] and zeros behind the last; returns their scale.
  static float Quantize(const Turned& turned, std::int8_t* q) {
    const float scale = QuantizeValue<7>(turned.x, turned.padded, q);
    for (std::size_t i = turned.padded; i < turned.padded + 32; ++i) q[i] = 0;
    return scale;
  }

  static void Store(const float* key, const float* value, std::size_t head_dim, std::size_t token,
                    std::byte* at) {
    const Tile tile = TileAt(at, head_dim);
    Turned turned;
    alignas(64) std::int8_t q[kMaxHeadDim + 64];
    Turn(key, head_dim, &turned);
    tile.key_scale[token] = Quantize(turned, q) * turned.norm;
    for (std::size_t word = 0; word < KeyWords(head_dim); ++word) {
      std::uint32_t bits = 0;
      for (int i = 0; i < 8; ++i) {
        bits |= static_cast<std::uint32_t>(q[8 * word + i] + 8) << (4 * (i / 2) + 16 * (i % 2));
      }
      __builtin_memcpy(tile.keys + 4 * (word * kTokens + token), &bits, 4);
    }
    Turn(value, head_dim, &turned);
    StoreValueScale(tile, token, Quantize(turned, q));
    std::uint8_t* column = tile.values + token / 4 * 4 * ValueLanes(head_dim) + token % 4;
    for (std::size_t lane = 0; lane < ValueLanes(head_dim); ++lane) {
      const int low = q[DimOf<0>(lane)] + 8;
      const int high = q[DimOf<1>(lane)] + 8;
      column[4 * lane] = static_cast<std::uint8_t>(low | high << 4);
    }
  }

  /// 15 · 32767 · head_dim is below 2^31.
  static QueryNumbers PrepareQuery(const float* q, std::size_t head_dim, std::uint8_t* words) {
    auto* numbers = reinterpret_cast<std::int16_t*>(words);
    const float scale = FixedPoint(q, head_dim, 32767.0f, numbers);
    for (std::size_t i = head_dim; i < 8 * KeyWords(head_dim); ++i) numbers[i] = 0;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < head_dim; ++i) sum += numbers[i];
    return {scale, -8 * sum};
  }

  static Bytes LoadKeys(const std::uint8_t* p) { return Bytes::Load(p); }
  template <int kSub>
  static Bytes Key(Bytes loaded) {
    return ShiftRight<4 * kSub>(loaded) & NibblePairs();
  }
  template <int kSub>
  static Bytes Value(Bytes loaded) {
    return Subtract(ShiftRight<4 * kSub>(loaded) & Bytes::Set(15), Bytes::Set(8));
  }

  static void FinishOut(float* out, std::size_t head_dim) {
    if (head_dim % Vec::kLanes != 0 || (head_dim & (head_dim - 1)) != 0) return;
    Hadamard(out, head_dim);
    const F32 norm = F32::Set(1.0f / static_cast<float>(head_dim));
    for (std::size_t i = 0; i < head_dim; i += Vec::kLanes) {
      (F32::Load(out + i) * norm).Store(out + i);
    }
  }

 private:
  static Bytes NibblePairs() {
    static constexpr std::int8_t kMask[4] = {15, 0, 15, 0};
    return Bytes::Broadcast4(kMask);
  }
};
