/** Sixteen lanes in one 512-bit register. */
#pragma once
#include <immintrin.h>

#include "common.h"

namespace embedmill::KERNEL {

using Floats = __m512;
using Ints = __m512i;

INLINE Floats load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void store(float *p, Floats v) { _mm512_storeu_ps(p, v); }
INLINE Floats splat(float x) { return _mm512_set1_ps(x); }
INLINE Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
INLINE Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
INLINE Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
INLINE Floats div(Floats a, Floats b) { return _mm512_div_ps(a, b); }
INLINE Floats min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
INLINE Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }

INLINE Ints loadInts(const int32_t *p) { return _mm512_loadu_si512(p); }
INLINE void storeInts(void *p, Ints v) { _mm512_storeu_si512(p, v); }
INLINE Ints splatInt(int32_t x) { return _mm512_set1_epi32(x); }
INLINE Ints addInts(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
INLINE Ints subInts(Ints a, Ints b) { return _mm512_sub_epi32(a, b); }
INLINE Ints minInts(Ints a, Ints b) { return _mm512_min_epi32(a, b); }
INLINE Ints maxInts(Ints a, Ints b) { return _mm512_max_epi32(a, b); }
INLINE Ints andInts(Ints a, Ints b) { return _mm512_and_si512(a, b); }
INLINE Ints orInts(Ints a, Ints b) { return _mm512_or_si512(a, b); }
template <int n>
INLINE Ints shiftLeft(Ints a) {
  return _mm512_slli_epi32(a, n);
}
template <int n>
INLINE Ints shiftRight(Ints a) {
  return _mm512_srli_epi32(a, n);
}

INLINE Floats toFloats(Ints a) { return _mm512_cvtepi32_ps(a); }
INLINE Ints nearest(Floats a) { return _mm512_cvtps_epi32(a); }
INLINE Floats asFloats(Ints a) { return _mm512_castsi512_ps(a); }
INLINE Ints asInts(Floats a) { return _mm512_castps_si512(a); }
INLINE Floats absolute(Floats a) { return _mm512_abs_ps(a); }

INLINE Ints loadSignedBytes(const int8_t *p) { return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)); }
INLINE void storeBytes(void *p, Ints v) { _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(v)); }
INLINE void storeHalves(void *p, Ints v) { _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(v)); }

INLINE float maxOf(Floats a) { return _mm512_reduce_max_ps(a); }
INLINE int32_t maxOfInts(Ints a) { return _mm512_reduce_max_epi32(a); }
INLINE int32_t sumOfInts(Ints a) { return _mm512_reduce_add_epi32(a); }
INLINE float sumOf(Floats a) {
  const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  c = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}

/** Panel of keys: [4 groups of 4 bytes][16 rows] from 16 rows of 16 bytes. */
INLINE void transposeGroups(const int8_t *rows, size_t stride, int8_t *panel) {
  __m512i quads[4];  // four rows of four groups each
  unroll<4>([&](auto i) INLINE_LAMBDA {
    const auto row = [&](int r)
                         INLINE_LAMBDA { return _mm_loadu_si128((const __m128i *)(rows + (4 * i + r) * stride)); };
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(row(0)), row(1), 1);
    const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(row(2)), row(3), 1);
    quads[i] = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  });
  // Groups 0 and 1, then 2 and 3, of eight rows: [group][row].
  const __m512i first = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
  const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(2));
  const __m512i a = _mm512_permutex2var_epi32(quads[0], first, quads[1]);
  const __m512i b = _mm512_permutex2var_epi32(quads[0], second, quads[1]);
  const __m512i c = _mm512_permutex2var_epi32(quads[2], first, quads[3]);
  const __m512i d = _mm512_permutex2var_epi32(quads[2], second, quads[3]);
  storeInts(panel, _mm512_shuffle_i64x2(a, c, 0x44));
  storeInts(panel + 64, _mm512_shuffle_i64x2(a, c, 0xee));
  storeInts(panel + 128, _mm512_shuffle_i64x2(b, d, 0x44));
  storeInts(panel + 192, _mm512_shuffle_i64x2(b, d, 0xee));
}

}  // namespace embedmill::KERNEL
