/**
 * The arithmetic, in its exact order: what makes the bytes of a vector independent of the CPU, of the compiler and of
 * the other texts in a pack.
 *
 * Every product of matrices is computed in integers, so its order is free. Everything else is a fixed sequence of IEEE
 * single-precision additions, multiplications, divisions and square roots, each rounded to nearest, half to even. Never
 * used: fused multiply-add (the compiler must not contract either: -ffp-contract=off), approximate reciprocals,
 * functions of a mathematical library. Denormals are kept.
 *
 * Rows are handled 16 lanes at a time. sumOf adds lane l to lane l + 8, then l + 4, l + 2 and l + 1. A sum over a row
 * has four accumulators, vector i goes to accumulator i mod 4 in order, and the result is sumOf((t0 + t1) + (t2 + t3)).
 * madd(a, b, c) is a * b rounded, plus c, rounded.
 *
 * 1. Embedding        x = madd(float(word byte), word scale, position vector); then LayerNorm.
 * 2. LayerNorm        mean = sum(x) * (1 / width); d = x - mean; r = 1 / sqrt(sum(madd d * d) * (1 / width) + epsilon);
 *                     y = madd(d * r, gain, bias).
 * 3. Row to bytes     of v = y * factor, of the context, or of GELU * factor: lo = min(0, row), hi = max(0, row);
 *                     scale = (hi - lo) * (1 / 255), or 1 if that is below 1e-30; inverse = 1 / scale;
 *                     zero = round(-lo * inverse); byte = min(round(v * inverse) + zero, 255).
 *                     One scale and zero point per row: no text influences its neighbours. The factors undo those by
 * which the weights were multiplied (SmoothQuant, arXiv 2211.10438).
 * 4. Linear layer     acc = sum of byte * weight, exact; t = madd(-zero, column sum, float(acc));
 *                     out = madd(t * row scale, column scale, bias).
 * 5. GELU             u = clamp(x, -3.6, 3.6); out = x * madd(u, P(u * u), 0.5), P a polynomial of degree 5 by Horner.
 * 6. Attention        per head and text: q scale = max|Q| * (1 / 127), k scale alike, v scale alike but per channel;
 * all maxima at least 1e-12. Bytes are round(x * (1 / scale)). S = Q . K, exact; e = max(float(S - row maximum) * ((q
 * scale * k scale) * C), -100) with C = log2(e) / sqrt(head size), rounded once; P = round(32767 * 2^e), 0 to 32,767;
 * the sum of P in integers. context = (float(P . V) * (1 / float(sum of P))) * v scale. |S| < 2^24 and P . V < 2^31.
 * 7. Residual         x = x + out of mix, x = x + out of narrow; LayerNorm after each.
 * 8. Pooling          mean: plain sums over the tokens in order; CLS: the first token. Then every value times
 *                     1 / sqrt(sum(madd v * v)), or times 0 if that sum is 0.
 *
 * 15 bits of P matter: 8 bits cost 0.0005 of the cosine to fp32 on texts of 256 tokens, because small probabilities
 * become 0; the scales of Q and K hardly matter.
 */
#pragma once
#include "lanes/common.h"

namespace embedmill::KERNEL {

INLINE Floats madd(Floats a, Floats b, Floats c) { return add(mul(a, b), c); }

/**
 * 32767 * 2^x for -100 <= x <= 0: a cubic on [-0.5, 0.5], fitted with minimal relative error (7.4e-5, Lawson's
 * iteration), times a power of two by adding to the exponent.
 */
INLINE Floats exp2Times32767(Floats x) {
  const Floats shifted = add(x, splat(ROUNDING));
  const Floats f = sub(x, sub(shifted, splat(ROUNDING)));
  Floats p = madd(splat(0.0551734785f * 32767), f, splat(0.242599698f * 32767));
  p = madd(p, f, splat(0.693259866f * 32767));
  p = madd(p, f, splat(0.999928752f * 32767));
  return asFloats(addInts(asInts(p), shiftLeft<23>(asInts(shifted))));
}

/**
 * x * Phi(x), Phi the normal distribution: an odd polynomial that is exactly 0 and 1 at the ends of [-3.6, 3.6], fitted
 * with minimal absolute error of the product (5.8e-4, Lawson's iteration).
 */
INLINE Floats gelu(Floats x) {
  const Floats u = max(min(x, splat(3.6f)), splat(-3.6f)), s = mul(u, u);
  Floats p = madd(splat(-4.53793542e-7f), s, splat(2.55601872e-5f));
  p = madd(p, s, splat(-5.99483664e-4f));
  p = madd(p, s, splat(7.73893708e-3f));
  p = madd(p, s, splat(-6.23004016e-2f));
  p = madd(p, s, splat(0.396236426f));
  return mul(x, madd(u, p, splat(0.5f)));
}

/** log2(e) / sqrt(head size). */
template <int headSize>
constexpr float SCORE_SCALE = headSize == 64 ? 1.44269504f * 0.125f : 1.44269504f * 0.176776695f;

/** Scale and zero point of a row of bytes. */
struct Range {
  float scale, inverse, zero;
};

INLINE Range rangeOf(Floats low, Floats high) {
  const float lo = -maxOf(sub(splat(0), low)), hi = maxOf(high);
  float scale = (hi - lo) * (1.f / 255);
  if (scale < 1e-30f) scale = 1;
  const float inverse = 1.f / scale;
  // A row of finite floats spans at most 255 steps here; adding ROUNDING rounds without a function of a library.
  const float zero = (-lo * inverse + ROUNDING) - ROUNDING;
  return {scale, inverse, zero};
}

/** Never below 0, because round(lo * inverse) = -zero; above 255 by one through rounding. */
INLINE Ints toBytes(Floats v, Floats inverse, Ints zero) {
  return minInts(addInts(nearest(mul(v, inverse)), zero), splatInt(255));
}

INLINE void storeRow(uint8_t *p, Ints v) { storeBytes(p, v); }
INLINE void storeRow(uint16_t *p, Ints v) { storeHalves(p, v); }

}  // namespace embedmill::KERNEL
