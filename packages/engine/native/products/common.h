/**
 * The integer products, which every instruction set does in its own way and exactly:
 *
 *   product     C[row][column] = start[column] + sum over k of a[row][k] * b[k][column], a unsigned and b signed 8-bit,
 *               C in int32; b in panels of 16 columns, `stride` bytes apart, each [k / 4][16][k % 4]; `k` is a multiple
 * of K_STEP product16   the same for 15-bit a and 16-bit b, panels [k / 2][16][k % 2]; a kernel may lack it (split.h)
 *
 * One call computes a block of at most BLOCK_ROWS rows and BLOCK_PANELS panels. `lda` and `ldc` are elements from row
 * to row; the panels of C lie side by side. `start` may be null, for zeros. A kernel may read SLACK_ROWS rows behind
 * the last one and may write BLOCK_ROWS rows of C.
 */
#pragma once
#include "../lanes/common.h"

namespace embedmill::KERNEL {

/** Calls f with a constant equal to `value`, from 1 to `max`: one instance of a block per number of rows. */
template <int max, class F>
INLINE void withConstant(int value, F &&f) {
  if constexpr (max > 1) {
    if (value < max) return withConstant<max - 1>(value, f);
  }
  f(std::integral_constant<int, max>{});
}

/** State of a thread during a forward pass; only AMX has some. */
struct NoSession {};

}  // namespace embedmill::KERNEL

/** One block of a product has a function of its own, so that its accumulators get all registers. */
#define BLOCK static __attribute__((noinline)) void
