/** Attention of one head of one text (step 6 of arithmetic.h). */
#pragma once
#include "arithmetic.h"
#include "blocks.h"

namespace embedmill::KERNEL {

/** What a padding key adds to its score: it never is the maximum of a row. */
constexpr int32_t PADDING_SCORE = -(1 << 30);

/** Panels of 16 channels of one text, `stride` floats apart, each [token][16]. */
struct HeadRows {
  const float *first;
  size_t stride;
  int tokens;

  const float *row(int panel, int token) const { return first + panel * stride + size_t(token) * LANES; }
};

INLINE Floats maxMagnitude(const HeadRows &rows, int panel, Floats start) {
  Floats m[2] = {start, start};
  int j = 0;
  for (; j + 2 <= rows.tokens; j += 2)
    unroll<2>([&](auto i) INLINE_LAMBDA { m[i] = max(m[i], absolute(load(rows.row(panel, j + i)))); });
  if (j < rows.tokens) m[0] = max(m[0], absolute(load(rows.row(panel, j))));
  return max(m[0], m[1]);
}

/** The scale of all channels of Q or of K. */
template <int panels>
INLINE float headScale(const HeadRows &rows, int firstPanel) {
  Floats m = splat(1e-12f);
  for (int p = 0; p < panels; p++) m = maxMagnitude(rows, firstPanel + p, m);
  return maxOf(m) * (1.f / 127);
}

/** Layout of the buffers for a head size. */
template <int headSize>
struct HeadLayout {
  static constexpr int panels = headSize / LANES;
  /** Bytes of a query or key, as the product wants them. */
  static constexpr int depth = (headSize + K_STEP - 1) / K_STEP * K_STEP;
  static constexpr size_t keyPanelBytes = size_t(depth) * LANES;
};

/** Writes the queries as bytes with zero point 128; returns their scale. */
template <int headSize>
INLINE float packQueries(const Workspace &space, const HeadRows &rows) {
  using Layout = HeadLayout<headSize>;
  const float scale = headScale<Layout::panels>(rows, 0);
  const Floats inverse = splat(1.f / scale);
  Byte *bytes = (Byte *)space.queries;
  for (int j = 0; j < rows.tokens; j++, bytes += Layout::depth)
    unroll<Layout::panels>([&](auto p) INLINE_LAMBDA {
      storeRow(bytes + LANES * p, addInts(nearest(mul(load(rows.row(p, j)), inverse)), splatInt(128)));
    });
  // One more query: its scores are what the zero point adds to those of every key.
  unroll<Layout::panels>([&](auto p) INLINE_LAMBDA { storeRow(bytes + LANES * p, splatInt(128)); });
  return scale;
}

/** Writes the keys in panels of 16, and what each score starts from; returns their scale. */
template <int headSize>
INLINE float packKeys(const Workspace &space, const HeadRows &rows) {
  using Layout = HeadLayout<headSize>;
  const int keyPanels = (rows.tokens + LANES - 1) / LANES;
  const float scale = headScale<Layout::panels>(rows, Layout::panels);
  const Floats inverse = splat(1.f / scale);
  int8_t *bytes = space.keyRows;
  for (int j = 0; j < rows.tokens; j++, bytes += headSize)
    unroll<Layout::panels>([&](auto p) INLINE_LAMBDA {
      storeBytes(bytes + LANES * p, nearest(mul(load(rows.row(Layout::panels + p, j)), inverse)));
    });
  memset(bytes, 0, size_t(keyPanels * LANES - rows.tokens) * headSize);
  for (int panel = 0; panel < keyPanels; panel++)
    unroll<Layout::panels>([&](auto p) INLINE_LAMBDA {
      transposeGroups(space.keyRows + panel * LANES * headSize + LANES * p, headSize,
                      space.keys + panel * Layout::keyPanelBytes + LANES * LANES * p);
    });
  const Byte *zeroPoint = (const Byte *)space.queries + size_t(rows.tokens) * Layout::depth;
  alignas(64) int32_t sums[BLOCK_ROWS * BLOCK_PANELS * LANES];
  eachBlock(1, 1, keyPanels, BLOCK_PANELS, [&](int, int, int panel, int count) INLINE_LAMBDA {
    product(zeroPoint, Layout::depth, 1, space.keys + panel * Layout::keyPanelBytes, Layout::keyPanelBytes,
            Layout::depth, count, nullptr, sums, BLOCK_PANELS * LANES);
    for (int i = 0; i < count; i++)
      storeInts(space.keyOffsets + (panel + i) * LANES, subInts(splatInt(0), loadInts(sums + i * LANES)));
  });
  for (int j = rows.tokens; j < keyPanels * LANES; j++) space.keyOffsets[j] = PADDING_SCORE;
  return scale;
}

/**
 * Writes the values of 16 channels as a panel, of bytes or of halves, with zeros for tokens beyond the text; returns
 * their scales.
 */
INLINE Floats packValues(const HeadRows &rows, int panel, int paddedTokens, int8_t *next) {
  constexpr int group = 32 / VALUE_BITS;
  const Floats scale = mul(maxMagnitude(rows, panel, splat(1e-12f)), splat(1.f / 127));
  const Floats inverse = div(splat(1), scale);
  const Ints mask = splatInt((1 << VALUE_BITS) - 1);
  const auto packed = [&](int token, int count) INLINE_LAMBDA {
    Ints result = splatInt(0);
    unroll<group>([&](auto i) INLINE_LAMBDA {
      if (i >= count) return;
      const Ints value = andInts(nearest(mul(load(rows.row(panel, token + i)), inverse)), mask);
      result = orInts(result, shiftLeft<VALUE_BITS * i>(value));
    });
    return result;
  };
  int token = 0;
  for (; token + group <= rows.tokens; token += group, next += 64) storeInts(next, packed(token, group));
  for (; token < paddedTokens; token += group, next += 64) storeInts(next, packed(token, rows.tokens - token));
  return scale;
}

/**
 * Softmax of a row of scores, of which the first `tokens` count; writes 15-bit probabilities, returns the inverse of
 * their sum.
 */
INLINE float softmax(const int32_t *scores, int tokens, Floats scale, uint8_t *probabilities, size_t plane) {
  const int panels = (tokens + LANES - 1) / LANES;
  Ints top = loadInts(scores);
  for (int p = 1; p < panels; p++) top = maxInts(top, loadInts(scores + LANES * p));
  const Ints peak = splatInt(maxOfInts(top));
  Ints sum = splatInt(0);
  const auto write = [&](int p, Ints keep) INLINE_LAMBDA {
    const Floats exponent = mul(toFloats(subInts(loadInts(scores + LANES * p), peak)), scale);
    const Ints value = andInts(nearest(exp2Times32767(max(exponent, splat(-100)))), keep);
    sum = addInts(sum, value);
    storeProbabilities(probabilities, p, plane, value);
  };
  static constexpr int32_t ones[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  for (int p = 0; p + 1 < panels; p++) write(p, splatInt(-1));
  write(panels - 1, loadInts(ones + panels * LANES - tokens));
  return 1.f / float(sumOfInts(sum));
}

/** The context of one head of one text: `context` is [token][width], at the channels of this head. */
template <int headSize>
static void attention(Workspace &space, const float *head, size_t panelStride, int tokens, float *context, int width) {
  using Layout = HeadLayout<headSize>;
  const HeadRows rows{head, panelStride, tokens};
  const int keyPanels = (tokens + LANES - 1) / LANES, keys = keyPanels * LANES;
  const int paddedTokens = roundedUp(tokens, K_STEP);
  const size_t valueBytes = size_t(paddedTokens) * LANES * (VALUE_BITS / 8);
  const int scoreStride = roundedUp(keys, 64);
  const size_t plane = size_t(QUERY_ROWS) * scoreStride;
  float inverse[QUERY_ROWS];
  Floats valueScales[Layout::panels];
  Floats scale;
  {
    const Timer timer(space, PACK);
    const float queryScale = packQueries<headSize>(space, rows);
    scale = splat(queryScale * packKeys<headSize>(space, rows) * SCORE_SCALE<headSize>);
    for (int p = 0; p < Layout::panels; p++)
      valueScales[p] = packValues(rows, 2 * Layout::panels + p, paddedTokens, space.values + p * valueBytes);
  }
  for (int first = 0; first < tokens; first += QUERY_ROWS) {
    const int queries = smaller(tokens - first, QUERY_ROWS);
    {
      const Timer timer(space, SCORES);
      const Byte *bytes = (const Byte *)space.queries + size_t(first) * Layout::depth;
      eachBlock(
          queries, BLOCK_ROWS, keyPanels, BLOCK_PANELS, [&](int row, int rowCount, int panel, int count) INLINE_LAMBDA {
            product(bytes + row * Layout::depth, Layout::depth, rowCount, space.keys + panel * Layout::keyPanelBytes,
                    Layout::keyPanelBytes, Layout::depth, count, space.keyOffsets + panel * LANES,
                    space.scores + row * scoreStride + panel * LANES, scoreStride);
          });
    }
    {
      const Timer timer(space, SOFTMAX);
      for (int i = 0; i < queries; i++)
        inverse[i] = softmax(space.scores + i * scoreStride, tokens, scale,
                             space.probabilities + size_t(i) * scoreStride * PROBABILITY_BYTES, plane);
    }
    const Timer timer(space, WEIGH);
    alignas(64) int32_t sums[BLOCK_ROWS * BLOCK_PANELS * LANES];
    eachBlock(queries, BLOCK_ROWS, Layout::panels, BLOCK_PANELS,
              [&](int row, int rowCount, int panel, int count) INLINE_LAMBDA {
                constexpr int ldc = BLOCK_PANELS * LANES;
                weigh(space.probabilities + size_t(row) * scoreStride * PROBABILITY_BYTES, scoreStride, rowCount, plane,
                      space.values + panel * valueBytes, valueBytes, paddedTokens, count, sums, ldc);
                for (int i = 0; i < rowCount; i++)
                  for (int j = 0; j < count; j++)
                    store(context + size_t(first + row + i) * width + (panel + j) * LANES,
                          mul(mul(toFloats(loadInts(sums + i * ldc + j * LANES)), splat(inverse[row + i])),
                              valueScales[panel + j]));
              });
  }
}

}  // namespace embedmill::KERNEL
