/**
 * The products with AVX2: blocks of 6 rows x 8 columns in 12 registers.
 *
 * `vpmaddubsw` would saturate (2 x 255 x 127 does not fit in 16 bits), so bytes are widened: those of `a` when they are
 * stored, the weights when they are loaded, once for six rows.
 */
#pragma once
#include <immintrin.h>

#include "common.h"

namespace embedmill::KERNEL {

using Byte = uint16_t;
using Session = NoSession;
constexpr int K_STEP = 4, BLOCK_ROWS = 6, ROW_UNIT = 1, BLOCK_PANELS = 1;

// A lane pair holds (k0 * w0 + k1 * w1, k2 * w2 + k3 * w3) of one column; the two are added at the end.
template <int rows>
BLOCK block(const Byte *a, int lda, const int8_t *b, int k, const int32_t *start, int32_t *c, int ldc) {
  for (int half = 0; half < 2; half++, b += 32) {
    __m256i sum[rows][2];
    unroll<rows>([&](auto i) INLINE_LAMBDA { sum[i][0] = sum[i][1] = _mm256_setzero_si256(); });
    const __m128i *panel = (const __m128i *)b;
    for (int i = 0; i < k; i += 4, panel += 4) {
      const __m256i w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(panel)),
                    w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(panel + 1));
      unroll<rows>([&](auto r) INLINE_LAMBDA {
        int64_t bits;
        memcpy(&bits, a + size_t(r) * lda + i, 8);
        const __m256i x = _mm256_set1_epi64x(bits);
        sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, w0));
        sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, w1));
      });
    }
    unroll<rows>([&](auto i) INLINE_LAMBDA {
      __m256i total = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sum[i][0], sum[i][1]), 0xd8);
      if (start) total = _mm256_add_epi32(total, _mm256_loadu_si256((const __m256i *)(start + 8 * half)));
      _mm256_storeu_si256((__m256i *)(c + size_t(i) * ldc + 8 * half), total);
    });
  }
}

template <int rows>
BLOCK block16(const uint16_t *a, int lda, const int16_t *b, int k, int32_t *c, int ldc) {
  __m256i low[rows], high[rows];
  unroll<rows>([&](auto i) INLINE_LAMBDA { low[i] = high[i] = _mm256_setzero_si256(); });
  const __m256i *panel = (const __m256i *)b;
  for (int i = 0; i < k; i += 2, panel += 2) {
    const __m256i w0 = _mm256_loadu_si256(panel), w1 = _mm256_loadu_si256(panel + 1);
    unroll<rows>([&](auto r) INLINE_LAMBDA {
      int32_t bits;
      memcpy(&bits, a + size_t(r) * lda + i, 4);
      const __m256i x = _mm256_set1_epi32(bits);
      low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(x, w0));
      high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(x, w1));
    });
  }
  unroll<rows>([&](auto i) INLINE_LAMBDA {
    __m256i *out = (__m256i *)(c + size_t(i) * ldc);
    _mm256_storeu_si256(out, low[i]);
    _mm256_storeu_si256(out + 1, high[i]);
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
