/** The products with WebAssembly's 128-bit SIMD: blocks of 2 rows x 8 columns. Relaxed SIMD is not used: its results
 * depend on the CPU. */
#pragma once
#include <wasm_simd128.h>

#include "common.h"

namespace embedmill::KERNEL {

using Byte = uint16_t;
using Session = NoSession;
constexpr int K_STEP = 4, BLOCK_ROWS = 2, ROW_UNIT = 1, BLOCK_PANELS = 1;

// A lane pair holds the sums of k0, k1 and of k2, k3 of one column; the two are added at the end.
template <int rows>
BLOCK block(const Byte *a, int lda, const int8_t *b, int k, const int32_t *start, int32_t *c, int ldc) {
  for (int half = 0; half < 2; half++, b += 32) {
    v128_t sum[rows][4];
    unroll<rows>([&](auto i)
                     INLINE_LAMBDA { unroll<4>([&](auto j) INLINE_LAMBDA { sum[i][j] = wasm_i32x4_splat(0); }); });
    const int8_t *panel = b;
    for (int i = 0; i < k; i += 4, panel += 64) {
      const v128_t low = wasm_v128_load(panel), high = wasm_v128_load(panel + 16);
      const v128_t w[4] = {wasm_i16x8_extend_low_i8x16(low), wasm_i16x8_extend_high_i8x16(low),
                           wasm_i16x8_extend_low_i8x16(high), wasm_i16x8_extend_high_i8x16(high)};
      unroll<rows>([&](auto r) INLINE_LAMBDA {
        const v128_t x = wasm_v128_load64_splat(a + size_t(r) * lda + i);
        unroll<4>([&](auto j) INLINE_LAMBDA { sum[r][j] = wasm_i32x4_add(sum[r][j], wasm_i32x4_dot_i16x8(x, w[j])); });
      });
    }
    unroll<rows>([&](auto i) INLINE_LAMBDA {
      unroll<2>([&](auto j) INLINE_LAMBDA {
        const v128_t even = wasm_i32x4_shuffle(sum[i][2 * j], sum[i][2 * j + 1], 0, 2, 4, 6);
        const v128_t odd = wasm_i32x4_shuffle(sum[i][2 * j], sum[i][2 * j + 1], 1, 3, 5, 7);
        v128_t total = wasm_i32x4_add(even, odd);
        if (start) total = wasm_i32x4_add(total, wasm_v128_load(start + 8 * half + 4 * j));
        wasm_v128_store(c + size_t(i) * ldc + 8 * half + 4 * j, total);
      });
    });
  }
}

template <int rows>
BLOCK block16(const uint16_t *a, int lda, const int16_t *b, int k, int32_t *c, int ldc) {
  v128_t sum[rows][4];
  unroll<rows>([&](auto i)
                   INLINE_LAMBDA { unroll<4>([&](auto j) INLINE_LAMBDA { sum[i][j] = wasm_i32x4_splat(0); }); });
  for (int i = 0; i < k; i += 2, b += 32) {
    unroll<rows>([&](auto r) INLINE_LAMBDA {
      const v128_t x = wasm_v128_load32_splat(a + size_t(r) * lda + i);
      unroll<4>([&](auto j) INLINE_LAMBDA {
        sum[r][j] = wasm_i32x4_add(sum[r][j], wasm_i32x4_dot_i16x8(x, wasm_v128_load(b + 8 * j)));
      });
    });
  }
  unroll<rows>([&](auto i) INLINE_LAMBDA {
    unroll<4>([&](auto j) INLINE_LAMBDA { wasm_v128_store(c + size_t(i) * ldc + 4 * j, sum[i][j]); });
  });
}

INLINE void product(const Byte *a, int lda, int rows, const int8_t *b, size_t, int k, int, const int32_t *start,
                    int32_t *c, int ldc) {
  withConstant<BLOCK_ROWS>(rows, [&](auto m) INLINE_LAMBDA { block<m>(a, lda, b, k, start, c, ldc); });
}
INLINE void product16(const uint16_t *a, int lda, int rows, const int16_t *b, size_t, int k, int, int32_t *c, int ldc) {
  withConstant<BLOCK_ROWS>(rows, [&](auto m) INLINE_LAMBDA { block16<m>(a, lda, b, k, c, ldc); });
}

}  // namespace embedmill::KERNEL

#include "halves.h"
