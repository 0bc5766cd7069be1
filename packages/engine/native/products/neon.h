/** The products on AArch64: with i8mm (unsigned by signed), with dotprod (signed by signed), or with ARMv8.0 alone. */
#pragma once
#include <arm_neon.h>

#include "common.h"

namespace embedmill::KERNEL {

using Byte = uint8_t;
using Session = NoSession;
#if defined(__ARM_FEATURE_MATMUL_INT8)
constexpr int BLOCK_ROWS = 6;
#elif defined(__ARM_FEATURE_DOTPROD)
constexpr int BLOCK_ROWS = 5;
#else
constexpr int BLOCK_ROWS = 4;
#endif
constexpr int K_STEP = 4, ROW_UNIT = 1, BLOCK_PANELS = 1;

INLINE uint32_t quad(const Byte *a) {
  uint32_t bits;
  memcpy(&bits, a, 4);
  return bits;
}

template <int rows>
BLOCK block(const Byte *a, int lda, const int8_t *b, int k, const int32_t *start, int32_t *c, int ldc) {
  int32x4_t sum[rows][4];
  unroll<rows>([&](auto i) INLINE_LAMBDA {
    unroll<4>([&](auto j) INLINE_LAMBDA { sum[i][j] = start ? vld1q_s32(start + 4 * j) : vdupq_n_s32(0); });
  });
#if defined(__ARM_FEATURE_MATMUL_INT8)
  for (int i = 0; i < k; i += 4, b += 64) {
    int8x16_t w[4];
    unroll<4>([&](auto j) INLINE_LAMBDA { w[j] = vld1q_s8(b + 16 * j); });
    unroll<rows>([&](auto r) INLINE_LAMBDA {
      const uint8x16_t x = vreinterpretq_u8_u32(vdupq_n_u32(quad(a + size_t(r) * lda + i)));
      unroll<4>([&](auto j) INLINE_LAMBDA { sum[r][j] = vusdotq_s32(sum[r][j], x, w[j]); });
    });
  }
#elif defined(__ARM_FEATURE_DOTPROD)
  // a = (a - 128) + 128: the second part is 128 times the sums of the columns.
  int32x4_t columns[4];
  unroll<4>([&](auto j) INLINE_LAMBDA { columns[j] = vdupq_n_s32(0); });
  for (int i = 0; i < k; i += 4, b += 64) {
    int8x16_t w[4];
    unroll<4>([&](auto j) INLINE_LAMBDA {
      w[j] = vld1q_s8(b + 16 * j);
      columns[j] = vdotq_s32(columns[j], vdupq_n_s8(1), w[j]);
    });
    unroll<rows>([&](auto r) INLINE_LAMBDA {
      const int8x16_t x = vreinterpretq_s8_u32(vdupq_n_u32(quad(a + size_t(r) * lda + i) ^ 0x80808080u));
      unroll<4>([&](auto j) INLINE_LAMBDA { sum[r][j] = vdotq_s32(sum[r][j], x, w[j]); });
    });
  }
  unroll<rows>([&](auto i) INLINE_LAMBDA {
    unroll<4>([&](auto j) INLINE_LAMBDA { sum[i][j] = vaddq_s32(sum[i][j], vshlq_n_s32(columns[j], 7)); });
  });
#else
  for (int i = 0; i < k; i += 4, b += 64) {
    unroll<4>([&](auto j) INLINE_LAMBDA {
      const int8x16_t w = vld1q_s8(b + 16 * j);
      const int16x8_t low = vmovl_s8(vget_low_s8(w)), high = vmovl_s8(vget_high_s8(w));
      unroll<rows>([&](auto r) INLINE_LAMBDA {
        const uint8x8_t bytes = vreinterpret_u8_u32(vdup_n_u32(quad(a + size_t(r) * lda + i)));
        const int16x4_t x = vget_low_s16(vreinterpretq_s16_u16(vmovl_u8(bytes)));
        const int32x4_t first = vpaddq_s32(vmull_s16(x, vget_low_s16(low)), vmull_s16(x, vget_high_s16(low)));
        const int32x4_t second = vpaddq_s32(vmull_s16(x, vget_low_s16(high)), vmull_s16(x, vget_high_s16(high)));
        sum[r][j] = vaddq_s32(sum[r][j], vpaddq_s32(first, second));
      });
    });
  }
#endif
  unroll<rows>([&](auto i) INLINE_LAMBDA {
    unroll<4>([&](auto j) INLINE_LAMBDA { vst1q_s32(c + size_t(i) * ldc + 4 * j, sum[i][j]); });
  });
}

INLINE void product(const Byte *a, int lda, int rows, const int8_t *b, size_t, int k, int, const int32_t *start,
                    int32_t *c, int ldc) {
  withConstant<BLOCK_ROWS>(rows, [&](auto m) INLINE_LAMBDA { block<m>(a, lda, b, k, start, c, ldc); });
}

}  // namespace embedmill::KERNEL

#include "split.h"  // two products of bytes are faster than one of halves
