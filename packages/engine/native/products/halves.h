/** Probabilities as 16-bit halves, weighed in one product with 16-bit values; for kernels with product16. */
#pragma once
#include "common.h"

namespace embedmill::KERNEL {

/** Bits of a value in its panel, and bytes of a probability in a row. */
constexpr int VALUE_BITS = 16, PROBABILITY_BYTES = 2;

/** Stores 16 probabilities of a row. */
INLINE void storeProbabilities(uint8_t *row, int panel, size_t, Ints v) {
  storeHalves((uint16_t *)row + LANES * panel, v);
}

/** The sums of probability * value for a block of rows; `stride` is keys from row to row. */
INLINE void weigh(const uint8_t *probabilities, int stride, int rows, size_t, const int8_t *values, size_t panelBytes,
                  int keys, int panels, int32_t *c, int ldc) {
  product16((const uint16_t *)probabilities, stride, rows, (const int16_t *)values, panelBytes, keys, panels, c, ldc);
}

}  // namespace embedmill::KERNEL
