/** Several vectors that go through the same steps side by side, so that each fills the latency of the others. */
#pragma once
#include "common.h"

namespace embedmill::KERNEL {

template <int n>
struct Group {
  Floats part[n];
};

/** The group of f(0), ... f(n - 1). */
template <int n, class F>
INLINE Group<n> groupOf(F &&f) {
  Group<n> result;
  unroll<n>([&](auto i) INLINE_LAMBDA { result.part[i] = f(i); });
  return result;
}

/** Vectors that lie `stride` floats apart. */
template <int n>
INLINE Group<n> loadGroup(const float *p, size_t stride) {
  return groupOf<n>([&](auto i) INLINE_LAMBDA { return load(p + i * stride); });
}
template <int n>
INLINE void storeGroup(float *p, size_t stride, const Group<n> &v) {
  unroll<n>([&](auto i) INLINE_LAMBDA { store(p + i * stride, v.part[i]); });
}

/** An operation of two vectors for two groups, and for a group and one vector. */
#define OF_GROUPS(name)                                                                  \
  template <int n>                                                                       \
  INLINE Group<n> name(const Group<n> &a, const Group<n> &b) {                           \
    return groupOf<n>([&](auto i) INLINE_LAMBDA { return name(a.part[i], b.part[i]); }); \
  }                                                                                      \
  template <int n>                                                                       \
  INLINE Group<n> name(const Group<n> &a, Floats b) {                                    \
    return groupOf<n>([&](auto i) INLINE_LAMBDA { return name(a.part[i], b); });         \
  }
OF_GROUPS(add)
OF_GROUPS(mul)
OF_GROUPS(min)
OF_GROUPS(max)
#undef OF_GROUPS

/** Calls f(i, count) for the groups of `count` that make up 0 to total - 1: `count` is GROUP, or 1 for the rest. */
template <class F>
INLINE void eachGroup(int total, F &&f) {
  int i = 0;
  for (; i + GROUP <= total; i += GROUP) f(i, std::integral_constant<int, GROUP>{});
  if constexpr (GROUP > 1)
    for (; i < total; i++) f(i, std::integral_constant<int, 1>{});
}

}  // namespace embedmill::KERNEL
