/** The floating-point environment: rounding to nearest even, and denormals that are kept. */
#pragma once
#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace embedmill {

/** Sets the floating-point environment that the arithmetic needs, and restores the caller's. */
class FloatingPoint {
 public:
#if defined(__x86_64__)
  FloatingPoint() : saved(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~FloatingPoint() { _mm_setcsr(saved); }

 private:
  unsigned saved;
#elif defined(__aarch64__)
  FloatingPoint() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    set(0);
  }
  ~FloatingPoint() { set(saved); }

 private:
  static void set(uint64_t value) { __asm__ volatile("msr fpcr, %0" ::"r"(value)); }
  uint64_t saved;
#else
  FloatingPoint() {}
#endif
};

}  // namespace embedmill
