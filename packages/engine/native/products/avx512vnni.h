/** The products with AVX-512 VNNI: blocks of 8 rows x 48 columns in 24 registers. */
#pragma once
#include <immintrin.h>

#include "common.h"

namespace embedmill::KERNEL {

using Byte = uint8_t;
using Session = NoSession;
constexpr int K_STEP = 4, BLOCK_ROWS = 8, ROW_UNIT = 1, BLOCK_PANELS = 3;

// As assembly: g++ 12 moves the accumulators of the intrinsics through memory, at half the speed.
INLINE void addQuads(__m512i &sum, __m512i a, __m512i b) { asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }
INLINE void addPairs(__m512i &sum, __m512i a, __m512i b) { asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }

/** 32 bits of `a` (four bytes or two halves) meet 64 bytes of a panel a step. */
template <int rows, int panels, class A, class B, class Add>
INLINE void block512(const A *a, int lda, const B *b, size_t stride, int k, const int32_t *start, int32_t *c, int ldc,
                     Add &&add) {
  constexpr int step = 4 / sizeof(A);
  __m512i sum[rows][panels];
  unroll<panels>([&](auto j) INLINE_LAMBDA {
    const __m512i first = start ? _mm512_loadu_si512(start + LANES * j) : _mm512_setzero_si512();
    unroll<rows>([&](auto i) INLINE_LAMBDA { sum[i][j] = first; });
  });
  const char *panel = (const char *)b;
  for (int i = 0; i < k; i += step, panel += 64) {
    __m512i w[panels];
    unroll<panels>([&](auto j) INLINE_LAMBDA { w[j] = _mm512_loadu_si512(panel + j * stride); });
    unroll<rows>([&](auto r) INLINE_LAMBDA {
      int32_t bits;
      memcpy(&bits, a + size_t(r) * lda + i, 4);
      const __m512i x = _mm512_set1_epi32(bits);
      unroll<panels>([&](auto j) INLINE_LAMBDA { add(sum[r][j], x, w[j]); });
    });
  }
  unroll<rows>([&](auto i) INLINE_LAMBDA {
    unroll<panels>([&](auto j) INLINE_LAMBDA { _mm512_storeu_si512(c + size_t(i) * ldc + LANES * j, sum[i][j]); });
  });
}

template <int rows, int panels>
BLOCK block(const Byte *a, int lda, const int8_t *b, size_t stride, int k, const int32_t *start, int32_t *c, int ldc) {
  block512<rows, panels>(a, lda, b, stride, k, start, c, ldc, addQuads);
}
template <int rows, int panels>
BLOCK block16(const uint16_t *a, int lda, const int16_t *b, size_t stride, int k, int32_t *c, int ldc) {
  block512<rows, panels>(a, lda, b, stride, k, nullptr, c, ldc, addPairs);
}

INLINE void product(const Byte *a, int lda, int rows, const int8_t *b, size_t stride, int k, int panels,
                    const int32_t *start, int32_t *c, int ldc) {
  withConstant<BLOCK_PANELS>(panels, [&](auto n) INLINE_LAMBDA {
    withConstant<BLOCK_ROWS>(rows, [&](auto m) INLINE_LAMBDA { block<m, n>(a, lda, b, stride, k, start, c, ldc); });
  });
}
INLINE void product16(const uint16_t *a, int lda, int rows, const int16_t *b, size_t stride, int k, int panels,
                      int32_t *c, int ldc) {
  withConstant<BLOCK_PANELS>(panels, [&](auto n) INLINE_LAMBDA {
    withConstant<BLOCK_ROWS>(rows, [&](auto m) INLINE_LAMBDA { block16<m, n>(a, lda, b, stride, k, c, ldc); });
  });
}

}  // namespace embedmill::KERNEL

#include "halves.h"
