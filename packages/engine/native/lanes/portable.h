/**
 * Sixteen lanes by the compiler's own means: with WIDTH = 1 plain C++, the scalar reference; with WIDTH = 4 the vectors
 * of NEON and WebAssembly.
 */
#pragma once
#include "common.h"

namespace embedmill::KERNEL {

#if defined(SCALAR)
constexpr int WIDTH = 1;
using FloatVector = float;
using IntVector = int32_t;
using UnsignedVector = uint32_t;
#else
constexpr int WIDTH = 4;
typedef float FloatVector __attribute__((vector_size(16)));
typedef int32_t IntVector __attribute__((vector_size(16)));
typedef uint32_t UnsignedVector __attribute__((vector_size(16)));
#endif
constexpr int PARTS = LANES / WIDTH;

struct Floats {
  FloatVector part[PARTS];
};
struct Ints {
  IntVector part[PARTS];
};

template <class Result, class F>
INLINE Result each(F &&f) {
  Result result;
  for (int i = 0; i < PARTS; i++) result.part[i] = f(i);
  return result;
}

INLINE Floats load(const float *p) {
  Floats v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(float *p, Floats v) { memcpy(p, &v, sizeof v); }
INLINE Floats splat(float x) {
  return each<Floats>([&](int) INLINE_LAMBDA { return FloatVector{} + x; });
}
#define LANEWISE(name, Type, expression)                \
  INLINE Type name(Type first, Type second) {           \
    return each<Type>([&](int i) INLINE_LAMBDA {        \
      const auto a = first.part[i], b = second.part[i]; \
      return expression;                                \
    });                                                 \
  }
LANEWISE(add, Floats, a + b)
LANEWISE(sub, Floats, a - b)
LANEWISE(mul, Floats, a *b)
LANEWISE(div, Floats, a / b)
LANEWISE(min, Floats, a < b ? a : b)
LANEWISE(max, Floats, a > b ? a : b)
LANEWISE(addInts, Ints, a + b)
LANEWISE(subInts, Ints, a - b)
LANEWISE(minInts, Ints, a < b ? a : b)
LANEWISE(maxInts, Ints, a > b ? a : b)
LANEWISE(andInts, Ints, a &b)
LANEWISE(orInts, Ints, a | b)
#undef LANEWISE

INLINE Ints loadInts(const int32_t *p) {
  Ints v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void storeInts(void *p, Ints v) { memcpy(p, &v, sizeof v); }
INLINE Ints splatInt(int32_t x) {
  return each<Ints>([&](int) INLINE_LAMBDA { return IntVector{} + x; });
}
template <int n>
INLINE Ints shiftLeft(Ints a) {
  return each<Ints>([&](int i) INLINE_LAMBDA { return (IntVector)((UnsignedVector)a.part[i] << n); });
}
template <int n>
INLINE Ints shiftRight(Ints a) {
  return each<Ints>([&](int i) INLINE_LAMBDA { return (IntVector)((UnsignedVector)a.part[i] >> n); });
}

INLINE Floats toFloats(Ints a) {
  return each<Floats>([&](int i) INLINE_LAMBDA {
#if defined(SCALAR)
    return float(a.part[i]);
#else
    return __builtin_convertvector(a.part[i], FloatVector);
#endif
  });
}
INLINE Floats asFloats(Ints a) {
  Floats v;
  memcpy(&v, &a, sizeof v);
  return v;
}
INLINE Ints asInts(Floats a) {
  Ints v;
  memcpy(&v, &a, sizeof v);
  return v;
}
INLINE Ints nearest(Floats a) { return subInts(asInts(add(a, splat(ROUNDING))), asInts(splat(ROUNDING))); }
INLINE Floats absolute(Floats a) { return asFloats(andInts(asInts(a), splatInt(0x7fffffff))); }

/** One lane after the other; for what no vector of the language does. */
template <class T, class F>
INLINE void lanes(const T &v, F &&f) {
  std::conditional_t<std::is_same_v<T, Floats>, float, int32_t> lane[LANES];
  memcpy(lane, &v, sizeof lane);
  for (int i = 0; i < LANES; i++) f(i, lane[i]);
}
#if defined(SCALAR)
INLINE float firstLane(FloatVector v) { return v; }
INLINE int32_t firstLane(IntVector v) { return v; }
#else
INLINE float firstLane(FloatVector v) { return v[0]; }
INLINE int32_t firstLane(IntVector v) { return v[0]; }
#endif
INLINE Ints loadSignedBytes(const int8_t *p) {
  int32_t lane[LANES];
  for (int i = 0; i < LANES; i++) lane[i] = p[i];
  return loadInts(lane);
}
INLINE void storeBytes(void *p, Ints v) {
  lanes(v, [&](int i, int32_t x) INLINE_LAMBDA { ((uint8_t *)p)[i] = uint8_t(x); });
}
INLINE void storeHalves(void *p, Ints v) {
  lanes(v, [&](int i, int32_t x) INLINE_LAMBDA { ((uint16_t *)p)[i] = uint16_t(x); });
}
INLINE float maxOf(Floats v) {
  float result = firstLane(v.part[0]);
  lanes(v, [&](int, float x) INLINE_LAMBDA { result = result > x ? result : x; });
  return result;
}
INLINE int32_t maxOfInts(Ints v) {
  int32_t result = firstLane(v.part[0]);
  lanes(v, [&](int, int32_t x) INLINE_LAMBDA { result = result > x ? result : x; });
  return result;
}
INLINE int32_t sumOfInts(Ints v) {
  int32_t result = 0;
  lanes(v, [&](int, int32_t x) INLINE_LAMBDA { result += x; });
  return result;
}
INLINE float sumOf(Floats v) {
  float sum[LANES];
  store(sum, v);
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) sum[i] = sum[i] + sum[i + half];
  return sum[0];
}

/** Panel of keys: [4 groups of 4 bytes][16 rows] from 16 rows of 16 bytes. */
INLINE void transposeGroups(const int8_t *rows, size_t stride, int8_t *panel) {
  for (int row = 0; row < LANES; row++)
    for (int group = 0; group < 4; group++) memcpy(panel + 64 * group + 4 * row, rows + row * stride + 4 * group, 4);
}

}  // namespace embedmill::KERNEL
