/** Linear layers over rows of bytes (step 4 of arithmetic.h). */
#pragma once
#include "arithmetic.h"
#include "blocks.h"

namespace embedmill::KERNEL {

/**
 * Computes `panels` panels of the layer from `firstPanel` on, and passes each vector of 16 columns to
 * then(row, panel, values). `bytes` has rows of dense.paddedInputs.
 */
template <class Then>
INLINE void linear(const Dense &dense, int firstPanel, int panels, const Byte *bytes, int rows, const float *scale,
                   const float *zero, Then &&then) {
  alignas(64) int32_t sums[BLOCK_ROWS * BLOCK_PANELS * LANES];
  const int lda = dense.paddedInputs, depth = roundedUp(dense.inputs, K_STEP);
  const size_t stride = dense.panelBytes();
  eachBlock(
      rows, BLOCK_ROWS, panels, BLOCK_PANELS, [&](int row, int rowCount, int panel, int panelCount) INLINE_LAMBDA {
        panel += firstPanel;
        product(bytes + size_t(row) * lda, lda, rowCount, dense.weights + panel * stride, stride, depth, panelCount,
                nullptr, sums, BLOCK_PANELS * LANES);
        for (int i = 0; i < rowCount; i++) {
          const Floats rowScale = splat(scale[row + i]), minusZero = splat(-zero[row + i]);
          for (int j = 0; j < panelCount; j++) {
            const int column = (panel + j) * LANES;
            const Floats sum = toFloats(loadInts(sums + (i * BLOCK_PANELS + j) * LANES));
            const Floats t = madd(minusZero, load(dense.columnSums + column), sum);
            then(row + i, panel + j, madd(mul(t, rowScale), load(dense.scale + column), load(dense.bias + column)));
          }
        }
      });
}

}  // namespace embedmill::KERNEL
