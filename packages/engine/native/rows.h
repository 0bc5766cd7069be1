/** Work on single rows: embedding, LayerNorm, quantisation and pooling (steps 1, 2, 3 and 8 of arithmetic.h). */
#pragma once
#include "arithmetic.h"

namespace embedmill::KERNEL {

/** The sum over a row of f(i) for i = 0, 16, 32, ...; `width` is a multiple of 64. */
template <class F>
INLINE float rowSum(int width, F &&f) {
  Floats t[4] = {splat(0), splat(0), splat(0), splat(0)};
  for (int i = 0; i < width; i += 4 * LANES) unroll<4>([&](auto j) INLINE_LAMBDA { t[j] = f(i + LANES * j, t[j]); });
  return sumOf(add(add(t[0], t[1]), add(t[2], t[3])));
}

/** Writes the bytes of the row value(0), value(16), ... */
template <class Value>
INLINE void quantise(int width, Floats low, Floats high, Byte *bytes, float &scale, float &zero, Value &&value) {
  const Range range = rangeOf(low, high);
  const Floats inverse = splat(range.inverse);
  const Ints offset = splatInt(int32_t(range.zero));
  for (int i = 0; i < width; i += LANES) storeRow(bytes + i, toBytes(value(i), inverse, offset));
  scale = range.scale;
  zero = range.zero;
}

static void quantiseRow(const float *x, int width, Byte *bytes, float &scale, float &zero) {
  Floats low[2] = {splat(0), splat(0)}, high[2] = {splat(0), splat(0)};
  for (int i = 0; i < width; i += LANES) {
    const Floats v = load(x + i);
    const int j = i / LANES & 1;
    low[j] = min(low[j], v);
    high[j] = max(high[j], v);
  }
  quantise(width, min(low[0], low[1]), max(high[0], high[1]), bytes, scale, zero,
           [&](int i) INLINE_LAMBDA { return load(x + i); });
}

/** LayerNorm in place; with factors, also the bytes of the row times them. */
static void normalise(float *x, int width, float epsilon, const Norm &norm, const float *factors, Byte *bytes,
                      float *scale, float *zero) {
  const float share = 1.f / float(width);
  const Floats mean = splat(rowSum(width, [&](int i, Floats t) INLINE_LAMBDA { return add(t, load(x + i)); }) * share);
  const float squares = rowSum(width, [&](int i, Floats t) INLINE_LAMBDA {
    const Floats d = sub(load(x + i), mean);
    return madd(d, d, t);
  });
  const Floats r = splat(1.f / sqrtf(squares * share + epsilon));
  Floats low = splat(0), high = splat(0);
  for (int i = 0; i < width; i += LANES) {
    const Floats y = madd(mul(sub(load(x + i), mean), r), load(norm.gain + i), load(norm.bias + i));
    store(x + i, y);
    if (!factors) continue;
    const Floats v = mul(y, load(factors + i));
    low = min(low, v);
    high = max(high, v);
  }
  if (!factors) return;
  quantise(width, low, high, bytes, *scale, *zero,
           [&](int i) INLINE_LAMBDA { return mul(load(x + i), load(factors + i)); });
}

static void embedToken(const Model &model, int id, int position, float *x) {
  const int8_t *word = model.words + size_t(id) * model.width;
  const float *vector = model.positionVectors + size_t(position) * model.width;
  const Floats scale = splat(model.wordScales[id]);
  for (int i = 0; i < model.width; i += LANES)
    store(x + i, madd(toFloats(loadSignedBytes(word + i)), scale, load(vector + i)));
}

/** The unit vector of a text from its last hidden states. */
static void pool(const Model &model, const float *x, int tokens, float *out) {
  const int width = model.width;
  for (int i = 0; i < width; i += LANES) {
    Floats sum = load(x + i);
    if (model.pooling == Pooling::mean)
      // From 0, so that a negative zero becomes a positive one.
      for (int row = (sum = splat(0), 0); row < tokens; row++) sum = add(sum, load(x + size_t(row) * width + i));
    store(out + i, sum);
  }
  const float squares =
      rowSum(width, [&](int i, Floats t) INLINE_LAMBDA { return madd(load(out + i), load(out + i), t); });
  const Floats inverse = splat(squares > 0 ? 1.f / sqrtf(squares) : 0);
  for (int i = 0; i < width; i += LANES) store(out + i, mul(load(out + i), inverse));
}

}  // namespace embedmill::KERNEL
