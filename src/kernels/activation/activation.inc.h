// Element-wise operations over F32; included inside a path's region and namespace, after
// simd/math.inc.h.

/// out[i] = function(vectors of a and b).
template <typename Function>
inline void MapPairs(const float* a, const float* b, std::size_t n, float* out,
                     const Function& function) {
  std::size_t i = 0;
  for (; i + F32::kLanes <= n; i += F32::kLanes) {
    function(F32::Load(a + i), F32::Load(b + i)).Store(out + i);
  }
  if (i == n) return;
  const std::size_t part = n - i;
  function(F32::LoadPart(a + i, part), F32::LoadPart(b + i, part)).StorePart(out + i, part);
}

/// x / (1 + e^-x).
struct SiluOf {
  F32 operator()(F32 x) const { return x / (F32::Set(1.0f) + Exp(F32::Zero() - x)); }
};

/// Gelu's tanh form as x / (1 + e^-2z), z = √(2/π) (x + 0.044715 x³): the same value without the
/// cancellation of 1 + tanh z.
struct GeluTanhOf {
  F32 operator()(F32 x) const {
    const F32 cubic =
        Fma(x * x, F32::Set(-2.0f * 0.79788456f * 0.044715f), F32::Set(-2.0f * 0.79788456f));
    return x / (F32::Set(1.0f) + Exp(x * cubic));
  }
};

/// x - x q for x >= 0 and x q below, with the upper tail q of |x|: no cancellation on either side.
struct GeluErfOf {
  F32 operator()(F32 x) const {
    const F32 tail = x * NormalTail(Abs(x));
    return WhereLess(x, F32::Zero(), tail, x - tail);
  }
};

struct SiluTimes {
  F32 operator()(F32 gate, F32 up) const { return SiluOf()(gate) * up; }
};
struct GeluTanhTimes {
  F32 operator()(F32 gate, F32 up) const { return GeluTanhOf()(gate) * up; }
};
struct SiluFirst {
  F32 operator()(F32 x, F32) const { return SiluOf()(x); }
};
struct GeluErfFirst {
  F32 operator()(F32 x, F32) const { return GeluErfOf()(x); }
};
struct ExpFirst {
  F32 operator()(F32 x, F32) const { return Exp(x); }
};
struct TanhFirst {
  F32 operator()(F32 x, F32) const { return Tanh(x); }
};
struct Added {
  F32 operator()(F32 x, F32 y) const { return x + y; }
};
struct Scaled {
  F32 scale;
  F32 operator()(F32 x, F32) const { return x * scale; }
};

inline void SwiGlu(const float* gate, const float* up, std::size_t n, float* out) {
  MapPairs(gate, up, n, out, SiluTimes());
}
inline void GeGluTanh(const float* gate, const float* up, std::size_t n, float* out) {
  MapPairs(gate, up, n, out, GeluTanhTimes());
}
inline void GeluErf(const float* x, std::size_t n, float* out) {
  MapPairs(x, x, n, out, GeluErfFirst());
}
inline void Silu(const float* x, std::size_t n, float* out) { MapPairs(x, x, n, out, SiluFirst()); }
inline void AddInPlace(float* x, const float* y, std::size_t n) { MapPairs(x, y, n, x, Added()); }
inline void ScaleInPlace(float* x, float scale, std::size_t n) {
  MapPairs(x, x, n, x, Scaled{F32::Set(scale)});
}
