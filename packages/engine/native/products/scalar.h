/** The products in plain C++: what the other kernels must equal. */
#pragma once
#include "common.h"

namespace embedmill::KERNEL {

using Byte = uint8_t;
using Session = NoSession;
constexpr int K_STEP = 4, BLOCK_ROWS = 1, ROW_UNIT = 1, BLOCK_PANELS = 1;

BLOCK product(const Byte *a, int, int, const int8_t *b, size_t, int k, int, const int32_t *start, int32_t *c, int) {
  int32_t sum[LANES] = {};
  if (start) memcpy(sum, start, sizeof sum);
  for (int i = 0; i < k; i += 4, b += 4 * LANES)
    for (int column = 0; column < LANES; column++)
      for (int j = 0; j < 4; j++) sum[column] += a[i + j] * b[4 * column + j];
  memcpy(c, sum, sizeof sum);
}

BLOCK product16(const uint16_t *a, int, int, const int16_t *b, size_t, int k, int, int32_t *c, int) {
  int32_t sum[LANES] = {};
  for (int i = 0; i < k; i += 2, b += 2 * LANES)
    for (int column = 0; column < LANES; column++)
      for (int j = 0; j < 2; j++) sum[column] += a[i + j] * b[2 * column + j];
  memcpy(c, sum, sizeof sum);
}

}  // namespace embedmill::KERNEL

#include "halves.h"
