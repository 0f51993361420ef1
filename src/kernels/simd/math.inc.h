// Functions over F32 that the processor does not have. Included once per file, inside a path's
// region and namespace and after its f32 header; the same algorithm for every path.
//
// Coefficients are least-maximum fits of our own over the reduced ranges.

/// e^x to 2 ulp. Results below 2^-125 (x < -86.6) are 0; +inf above 88.73; NaN stays.
inline F32 Exp(F32 x) {
  const F32 kRound = F32::Set(12582912.0f);  // 1.5 · 2^23: adding it rounds to an integer
  F32 n = Fma(x, F32::Set(1.44269504f), kRound) - kRound;
  n = Max(Min(n, F32::Set(128.0f)), F32::Set(-125.0f));
  // x = n ln 2 + r; the first part of ln 2 has few bits, so that its product with n is exact.
  F32 r = Fma(n, F32::Set(-0.693359375f), x);
  r = Fma(n, F32::Set(2.12194440e-4f), r);
  // 2 e^r: the factor 2 keeps the power below within the normal exponents for n = 128.
  F32 p = Fma(r, F32::Set(0x1.6a2430p-9f), F32::Set(0x1.1239e4p-6f));
  p = Fma(p, r, F32::Set(0x1.5558f2p-4f));
  p = Fma(p, r, F32::Set(0x1.555492p-2f));
  p = Fma(p, r, F32::Set(0x1.fffffcp-1f));
  p = Fma(p * r, r, r + r) + F32::Set(2.0f);
  const F32 result = ScaleByPower(p, n - F32::Set(1.0f));
  return WhereLess(x, F32::Set(-86.6f), F32::Zero(), result);
}

/// 2^x for x < 126 with a relative error of 4e-6; below 2^-125 whatever is tiny. For shares that
/// are rounded to bytes.
inline F32 Exp2(F32 x) {
  const F32 r = Fraction(x);
  F32 p = Fma(r, F32::Set(0x1.b7f72ep-7f), F32::Set(0x1.abf86ap-5f));
  p = Fma(p, r, F32::Set(0x1.ee2450p-3f));
  p = Fma(p, r, F32::Set(0x1.62d6c6p-1f));
  p = Fma(p, r, F32::Set(1.0f));
  return ScaleByFloor(p, x);
}

/// 1 / (1 + e^-x).
inline F32 Sigmoid(F32 x) { return F32::Set(1.0f) / (F32::Set(1.0f) + Exp(F32::Zero() - x)); }

/// Hyperbolic tangent to 3 ulp.
inline F32 Tanh(F32 x) {
  const F32 size = Abs(x);
  const F32 square = x * x;
  F32 p = Fma(square, F32::Set(-0.0057042246f), F32::Set(0.020638432f));
  p = Fma(p, square, F32::Set(-0.053739525f));
  p = Fma(p, square, F32::Set(0.1333144f));
  p = Fma(p, square, F32::Set(-0.3333328f));
  const F32 small = Fma(p * square, x, x);
  const F32 one = F32::Set(1.0f);
  const F32 large = one - F32::Set(2.0f) / (Exp(size + size) + one);
  const F32 with_sign = WhereLess(x, F32::Zero(), F32::Zero() - large, large);
  return WhereLess(size, F32::Set(0.625f), small, with_sign);
}

/// The normal distribution's upper tail, erfc(a / √2) / 2, for a >= 0.
inline F32 NormalTail(F32 a) {
  const F32 t = F32::Set(1.0f) / Fma(a, F32::Set(0.3f), F32::Set(1.0f));
  F32 p = Fma(t, F32::Set(0.037535835f), F32::Set(-0.16502023f));
  p = Fma(p, t, F32::Set(0.21997234f));
  p = Fma(p, t, F32::Set(-0.0664037f));
  p = Fma(p, t, F32::Set(0.13542083f));
  p = Fma(p, t, F32::Set(0.097783722f));
  p = Fma(p, t, F32::Set(0.121105738f));
  p = Fma(p, t, F32::Set(0.119605489f));
  return p * t * Exp(F32::Set(-0.5f) * a * a);
}
