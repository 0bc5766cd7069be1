/** Helpers of every kernel. Nothing here or in a kernel is an inline function of a shared name: the linker would keep
 * one copy, compiled for one instruction set, for all. */
#pragma once
#include <cmath>
#include <cstring>
#include <ctime>
#include <type_traits>
#include <utility>

#include "../kernel.h"

#ifndef KERNEL
#error "a kernel defines KERNEL, the namespace of all its code"
#endif

#define INLINE static inline __attribute__((always_inline))
#define INLINE_LAMBDA __attribute__((always_inline))

namespace embedmill::KERNEL {

/** Calls f(0), ... f(count - 1) with constants, so that arrays indexed by them live in registers. */
template <int count, class F>
INLINE void unroll(F &&f) {
  [&]<int... i>(std::integer_sequence<int, i...>) INLINE_LAMBDA { (f(std::integral_constant<int, i>{}), ...); }
  (std::make_integer_sequence<int, count>{});
}

INLINE int smaller(int a, int b) { return a < b ? a : b; }
INLINE int roundedUp(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

#if defined(EMBEDMILL_PROFILE)
/** Adds the time of its life to a stage of the profile. */
class Timer {
 public:
  Timer(Workspace &space, Stage stage) : seconds(space.profile[stage]), start(now()) {}
  ~Timer() { seconds += now() - start; }

 private:
  static double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
  }
  double &seconds;
  double start;
};
#else
struct Timer {
  Timer(Workspace &, Stage) {}
};
#endif

/** 1.5 x 2^23: adding it rounds |x| < 2^22 to an integer, half to even, and leaves it in the low bits. */
constexpr float ROUNDING = 12582912.f;

}  // namespace embedmill::KERNEL
