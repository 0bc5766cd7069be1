/** Probabilities as two planes of bytes, high and low, weighed in two products of bytes; for kernels without product16.
 */
#pragma once
#include "common.h"

namespace embedmill::KERNEL {

/** Bits of a value in its panel, and bytes of a probability in a row (of each plane). */
constexpr int VALUE_BITS = 8, PROBABILITY_BYTES = 1;

/** Stores 16 probabilities of a row, the low bytes `plane` bytes behind the high ones. */
INLINE void storeProbabilities(uint8_t *row, int panel, size_t plane, Ints v) {
  storeBytes(row + LANES * panel, shiftRight<8>(v));
  storeBytes(row + plane + LANES * panel, v);
}

/** The sums of probability * value for a block of rows; `stride` is keys from row to row. */
INLINE void weigh(const uint8_t *probabilities, int stride, int rows, size_t plane, const int8_t *values,
                  size_t panelBytes, int keys, int panels, int32_t *c, int ldc) {
  alignas(64) int32_t low[BLOCK_ROWS * BLOCK_PANELS * LANES];
  constexpr int lowStride = BLOCK_PANELS * LANES;
  product(probabilities, stride, rows, values, panelBytes, keys, panels, nullptr, c, ldc);
  product(probabilities + plane, stride, rows, values, panelBytes, keys, panels, nullptr, low, lowStride);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < panels; j++) {
      int32_t *sum = c + size_t(i) * ldc + LANES * j;
      storeInts(sum, addInts(shiftLeft<8>(loadInts(sum)), loadInts(low + i * lowStride + LANES * j)));
    }
}

}  // namespace embedmill::KERNEL
