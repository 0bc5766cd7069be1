/** Linear layers over rows of bytes (step 4 of arithmetic.h). */
#pragma once
#include "arithmetic.h"
#include "blocks.h"

namespace embedmill::KERNEL {

/**
 * Computes `panels` panels of the layer from `firstPanel` on, and passes each group of rows of a panel
 * to then(row, panel, values): `values` holds 16 columns of `row` and of those behind it. `bytes` has rows of
 * dense.paddedInputs.
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
        for (int j = 0; j < panelCount; j++) {
          const int column = (panel + j) * LANES;
          const Floats columnSum = load(dense.columnSums + column), columnScale = load(dense.scale + column),
                       bias = load(dense.bias + column);
          eachGroup(rowCount, [&](int i, auto count) INLINE_LAMBDA {
            const auto sum = groupOf<count>(
                [&](auto r) INLINE_LAMBDA { return toFloats(loadInts(sums + ((i + r) * BLOCK_PANELS + j) * LANES)); });
            const auto minusZero = groupOf<count>([&](auto r) INLINE_LAMBDA { return splat(-zero[row + i + r]); });
            const auto rowScale = groupOf<count>([&](auto r) INLINE_LAMBDA { return splat(scale[row + i + r]); });
            const auto t = madd(minusZero, columnSum, sum);
            then(row + i, panel + j, madd(mul(t, rowScale), columnScale, bias));
          });
        }
      });
}

}  // namespace embedmill::KERNEL
