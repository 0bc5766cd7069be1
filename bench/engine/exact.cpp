/**
 * Measures the exact engine from inside, for exact.mjs:
 *   peak KERNEL             GOP/s of the kernel's multiply instruction on
 * registers alone, best of 15 runs profile KERNEL WEIGHTS  microseconds per
 * token and stage, for texts of 8 to 256 tokens in packs of 256
 */
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "../../packages/engine/native/kernel.h"

using namespace embedmill;

static double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

#if defined(__x86_64__)
#define REPEAT_12(X)                                                           \
  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define ZMM(n) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #n "\n"
#define YMM(n) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" #n "\n"
#define PAIRS(n)                                                               \
  "vpmaddwd %%ymm14, %%ymm15, %%ymm13\nvpaddd %%ymm13, %%ymm" #n ", %%ymm" #n  \
  "\n"
#define LOOP(body)                                                             \
  asm volatile("1:\n" REPEAT_12(body) "dec %0\njnz 1b\n"                       \
               : "+r"(count)                                                   \
               :                                                               \
               : CLOBBERED)
#define CLOBBERED                                                              \
  "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",        \
      "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/** Operations of one run of the loop: 12 instructions, each with so many
 * multiplications and additions. */
static double loop(const char *kernel, long count) {
  const double runs = double(count);
  if (std::strstr(kernel, "avx512")) {
    LOOP(ZMM);
    return 12 * 128 * runs;
  }
  if (std::strstr(kernel, "avxvnni")) {
    LOOP(YMM);
    return 12 * 64 * runs;
  }
  LOOP(PAIRS);
  return 12 * 32 * runs;
}
#else
static double loop(const char *, long) { return 0; }
#endif

static void peak(const char *kernel) {
  double best = 0;
  for (int i = 0; i < 15; i++) {
    const double start = now(), operations = loop(kernel, 200000);
    best = std::max(best, operations / (now() - start) * 1e-9);
  }
  std::printf("%.1f\n", best);
}

static void profile(const Kernel &kernel, const Model &model) {
  std::printf(
      "tokens sum embed qkv pack scores softmax weigh mix wide narrow rows\n");
  std::vector<int32_t> ids(256);
  for (size_t i = 0; i < ids.size(); i++)
    ids[i] = int32_t(1000 + i * 7919 % 20000);
  std::vector<float> out(size_t(32) * model.width);
  for (const int tokens : {8, 32, 128, 256}) {
    const std::vector<int32_t> lengths(256 / tokens, tokens);
    Scratch scratch(model, 256);
    double best = 1e9, stages[STAGES];
    for (int i = 0; i < 40; i++) {
      std::fill_n(scratch.own.profile, STAGES, 0.);
      const double start = now();
      run(kernel, model, scratch, ids.data(), lengths.data(),
          int(lengths.size()), out.data());
      const double time = now() - start;
      if (time >= best)
        continue;
      best = time;
      std::copy_n(scratch.own.profile, STAGES, stages);
    }
    std::printf("%d %.1f", tokens, best / 256 * 1e6);
    for (const double seconds : stages)
      std::printf(" %.2f", seconds / 256 * 1e6);
    std::printf("\n");
  }
}

int main(int count, char **arguments) {
  if (count == 3 && !std::strcmp(arguments[1], "peak"))
    return peak(arguments[2]), 0;
  if (count != 4 || std::strcmp(arguments[1], "profile"))
    return 2;
  for (const Kernel &kernel : kernels())
    if (!std::strcmp(kernel.name, arguments[2]))
      profile(kernel, *loadModel(arguments[3]));
}
