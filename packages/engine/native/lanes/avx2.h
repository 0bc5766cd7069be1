/** Sixteen lanes in two 256-bit registers. */
#pragma once
#include <immintrin.h>

#include "common.h"

namespace embedmill::KERNEL {

struct Floats {
  __m256 low, high;
};
struct Ints {
  __m256i low, high;
};

INLINE Floats load(const float *p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE void store(float *p, Floats v) {
  _mm256_storeu_ps(p, v.low);
  _mm256_storeu_ps(p + 8, v.high);
}
INLINE Floats splat(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
INLINE Floats add(Floats a, Floats b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
INLINE Floats sub(Floats a, Floats b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
INLINE Floats mul(Floats a, Floats b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
INLINE Floats div(Floats a, Floats b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
INLINE Floats min(Floats a, Floats b) { return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)}; }
INLINE Floats max(Floats a, Floats b) { return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)}; }

INLINE Ints loadInts(const int32_t *p) {
  return {_mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 8))};
}
INLINE void storeInts(void *p, Ints v) {
  _mm256_storeu_si256((__m256i *)p, v.low);
  _mm256_storeu_si256((__m256i *)p + 1, v.high);
}
INLINE Ints splatInt(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
INLINE Ints addInts(Ints a, Ints b) { return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)}; }
INLINE Ints subInts(Ints a, Ints b) { return {_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)}; }
INLINE Ints minInts(Ints a, Ints b) { return {_mm256_min_epi32(a.low, b.low), _mm256_min_epi32(a.high, b.high)}; }
INLINE Ints maxInts(Ints a, Ints b) { return {_mm256_max_epi32(a.low, b.low), _mm256_max_epi32(a.high, b.high)}; }
INLINE Ints andInts(Ints a, Ints b) { return {_mm256_and_si256(a.low, b.low), _mm256_and_si256(a.high, b.high)}; }
INLINE Ints orInts(Ints a, Ints b) { return {_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)}; }
template <int n>
INLINE Ints shiftLeft(Ints a) {
  return {_mm256_slli_epi32(a.low, n), _mm256_slli_epi32(a.high, n)};
}
template <int n>
INLINE Ints shiftRight(Ints a) {
  return {_mm256_srli_epi32(a.low, n), _mm256_srli_epi32(a.high, n)};
}

INLINE Floats toFloats(Ints a) { return {_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)}; }
INLINE Ints nearest(Floats a) { return {_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high)}; }
INLINE Floats asFloats(Ints a) { return {_mm256_castsi256_ps(a.low), _mm256_castsi256_ps(a.high)}; }
INLINE Ints asInts(Floats a) { return {_mm256_castps_si256(a.low), _mm256_castps_si256(a.high)}; }
INLINE Floats absolute(Floats a) { return asFloats(andInts(asInts(a), splatInt(0x7fffffff))); }

INLINE Ints loadSignedBytes(const int8_t *p) {
  return {_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)),
          _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(p + 8)))};
}
/** The low 16 bits of every lane, for values from -32,768 to 32,767. */
INLINE __m256i halves(Ints v) { return _mm256_permute4x64_epi64(_mm256_packs_epi32(v.low, v.high), 0xd8); }
INLINE void storeHalves(void *p, Ints v) { _mm256_storeu_si256((__m256i *)p, halves(v)); }
INLINE void storeBytes(void *p, Ints v) {
  const __m256i low = _mm256_and_si256(halves(v), _mm256_set1_epi16(255));
  _mm_storeu_si128((__m128i *)p, _mm_packus_epi16(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)));
}

INLINE float maxOf(Floats a) {
  const __m256 b = _mm256_max_ps(a.low, a.high);
  __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  c = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}
INLINE float sumOf(Floats a) {
  const __m256 b = _mm256_add_ps(a.low, a.high);
  __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  c = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
INLINE int32_t maxOfInts(Ints a) {
  const __m256i b = _mm256_max_epi32(a.low, a.high);
  __m128i c = _mm_max_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
  c = _mm_max_epi32(c, _mm_shuffle_epi32(c, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(c, _mm_shuffle_epi32(c, 0xb1)));
}
INLINE int32_t sumOfInts(Ints a) {
  const __m256i b = _mm256_add_epi32(a.low, a.high);
  __m128i c = _mm_add_epi32(_mm256_castsi256_si128(b), _mm256_extracti128_si256(b, 1));
  c = _mm_add_epi32(c, _mm_shuffle_epi32(c, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(c, _mm_shuffle_epi32(c, 0xb1)));
}

/** Panel of keys: [4 groups of 4 bytes][16 rows] from 16 rows of 16 bytes. */
INLINE void transposeGroups(const int8_t *rows, size_t stride, int8_t *panel) {
  unroll<4>([&](auto i) INLINE_LAMBDA {  // four rows at a time: a 4 x 4 transposition of 32-bit groups
    const auto row = [&](int r)
                         INLINE_LAMBDA { return _mm_loadu_si128((const __m128i *)(rows + (4 * i + r) * stride)); };
    const __m128i a = _mm_unpacklo_epi32(row(0), row(1)), b = _mm_unpackhi_epi32(row(0), row(1));
    const __m128i c = _mm_unpacklo_epi32(row(2), row(3)), d = _mm_unpackhi_epi32(row(2), row(3));
    __m128i *group = (__m128i *)(panel + 16 * i);
    _mm_storeu_si128(group, _mm_unpacklo_epi64(a, c));
    _mm_storeu_si128(group + 4, _mm_unpackhi_epi64(a, c));
    _mm_storeu_si128(group + 8, _mm_unpacklo_epi64(b, d));
    _mm_storeu_si128(group + 12, _mm_unpackhi_epi64(b, d));
  });
}

}  // namespace embedmill::KERNEL
