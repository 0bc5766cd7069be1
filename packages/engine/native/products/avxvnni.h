/**
 * The products with VNNI in 256-bit registers: blocks of 6 rows x 16 columns in 12 registers. AVX-VNNI encodes the
 * instructions with VEX; a build with EVEX_VNNI uses AVX-512's encoding, to test this file on CPUs without AVX-VNNI.
 */
#pragma once
#include <immintrin.h>

#include "common.h"

namespace embedmill::KERNEL {

using Byte = uint8_t;
using Session = NoSession;
constexpr int K_STEP = 4, BLOCK_ROWS = 6, ROW_UNIT = 1, BLOCK_PANELS = 1;

#if defined(EVEX_VNNI)
#define VNNI_ENCODING "%{evex%} "
#else
#define VNNI_ENCODING "%{vex%} "
#endif
INLINE void addQuads(__m256i &sum, __m256i a, __m256i b) {
  asm(VNNI_ENCODING "vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
}
INLINE void addPairs(__m256i &sum, __m256i a, __m256i b) {
  asm(VNNI_ENCODING "vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
}
#undef VNNI_ENCODING

template <int rows, class A, class B, class Add>
INLINE void block256(const A *a, int lda, const B *b, int k, const int32_t *start, int32_t *c, int ldc, Add &&add) {
  constexpr int step = 4 / sizeof(A);
  __m256i low[rows], high[rows];
  const __m256i *first = (const __m256i *)start;
  unroll<rows>([&](auto i) INLINE_LAMBDA {
    low[i] = start ? _mm256_loadu_si256(first) : _mm256_setzero_si256();
    high[i] = start ? _mm256_loadu_si256(first + 1) : _mm256_setzero_si256();
  });
  const __m256i *panel = (const __m256i *)b;
  for (int i = 0; i < k; i += step, panel += 2) {
    const __m256i w0 = _mm256_loadu_si256(panel), w1 = _mm256_loadu_si256(panel + 1);
    unroll<rows>([&](auto r) INLINE_LAMBDA {
      int32_t bits;
      memcpy(&bits, a + size_t(r) * lda + i, 4);
      const __m256i x = _mm256_set1_epi32(bits);
      add(low[r], x, w0);
      add(high[r], x, w1);
    });
  }
  unroll<rows>([&](auto i) INLINE_LAMBDA {
    __m256i *out = (__m256i *)(c + size_t(i) * ldc);
    _mm256_storeu_si256(out, low[i]);
    _mm256_storeu_si256(out + 1, high[i]);
  });
}

template <int rows>
BLOCK block(const Byte *a, int lda, const int8_t *b, int k, const int32_t *start, int32_t *c, int ldc) {
  block256<rows>(a, lda, b, k, start, c, ldc, addQuads);
}
template <int rows>
BLOCK block16(const uint16_t *a, int lda, const int16_t *b, int k, int32_t *c, int ldc) {
  block256<rows>(a, lda, b, k, nullptr, c, ldc, addPairs);
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
