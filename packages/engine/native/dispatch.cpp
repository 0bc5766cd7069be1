/** Finds out which kernels the CPU can run, gives them their memory and runs them. */
#include <algorithm>
#include <type_traits>

#include "floating-point.h"
#include "kernel.h"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace embedmill {

namespace scalar {
Forward forward;
}
#if defined(__x86_64__)
namespace avx2 {
Forward forward;
}
namespace avxvnni {
Forward forward;
}
namespace avx512vnni {
Forward forward;
}
#if !defined(WITHOUT_AMX)
namespace amx {
Forward forward;
}
#endif
#elif defined(__aarch64__)
namespace neon {
Forward forward;
}
namespace neon_dotprod {
Forward forward;
}
namespace neon_i8mm {
Forward forward;
}
#elif defined(__wasm__)
namespace wasm {
Forward forward;
}
#endif

namespace {

bool always() { return true; }

#if defined(__x86_64__)
struct Cpuid {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  Cpuid(unsigned leaf, unsigned subleaf) { __get_cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx); }
};
bool bits(unsigned value, unsigned mask) { return (value & mask) == mask; }

/** Whether the operating system saves the registers of these state components (bits of XCR0). */
bool osSaves(unsigned components) {
  if (!bits(Cpuid(1, 0).ecx, bit_OSXSAVE)) return false;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return bits(low, components);
}
constexpr unsigned YMM_STATE = 0x6, ZMM_STATE = 0xe6, TILE_STATE = 0x60000;

bool hasAvx2() { return osSaves(YMM_STATE) && bits(Cpuid(7, 0).ebx, bit_AVX2); }
bool hasAvx512Vnni() {
  const Cpuid leaf7(7, 0);
  return hasAvx2() && osSaves(ZMM_STATE) && bits(leaf7.ebx, bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL) &&
         bits(leaf7.ecx, bit_AVX512VNNI);
}
bool hasAvxVnni() {
#if defined(EVEX_VNNI)
  return hasAvx512Vnni();
#else
  return hasAvx2() && bits(Cpuid(7, 1).eax, 1u << 4);
#endif
}
#if !defined(WITHOUT_AMX)
#if !defined(EMULATED_TILES)
/** Linux grants the tile registers to a process that asks for them; the permission then holds for all its threads. */
bool requestTiles() {
#if defined(__linux__)
  constexpr long ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18;
  static const bool granted = syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
  return granted;
#else
  return false;
#endif
}
#endif
bool hasAmx() {
#if defined(EMULATED_TILES)
  return hasAvx512Vnni();
#else
  constexpr unsigned AMX_TILE = 1u << 24, AMX_INT8 = 1u << 25;
  return hasAvx512Vnni() && osSaves(TILE_STATE) && bits(Cpuid(7, 0).edx, AMX_TILE | AMX_INT8) && requestTiles();
#endif
}
#endif
#elif defined(__aarch64__)
#if defined(__linux__)
/** Bits of the auxiliary vector, as in the kernel's asm/hwcap.h. */
bool hasDotprod() { return getauxval(AT_HWCAP) >> 20 & 1; }
bool hasI8mm() { return hasDotprod() && (getauxval(AT_HWCAP2) >> 13 & 1); }
#elif defined(__APPLE__)
bool hasDotprod() { return true; }
bool hasI8mm() { return false; }
#endif
#endif

}  // namespace

const std::vector<Kernel> &kernels() {
  static const std::vector<Kernel> all = {
#if defined(__x86_64__)
#if !defined(WITHOUT_AMX)
    {"amx", hasAmx, amx::forward},
#endif
    {"avx512vnni", hasAvx512Vnni, avx512vnni::forward},
    {"avxvnni", hasAvxVnni, avxvnni::forward},
    {"avx2", hasAvx2, avx2::forward},
#elif defined(__aarch64__)
    {"neon-i8mm", hasI8mm, neon_i8mm::forward},
    {"neon-dotprod", hasDotprod, neon_dotprod::forward},
    {"neon", always, neon::forward},
#elif defined(__wasm__)
    {"wasm", always, wasm::forward},
#endif
    {"scalar", always, scalar::forward},
  };
  return all;
}

void run(const Kernel &kernel, const Model &model, Scratch &scratch, const int32_t *ids, const int32_t *lengths,
         int texts, float *out) {
  [[maybe_unused]] const FloatingPoint environment;
  kernel.forward(model, scratch, ids, lengths, texts, out);
}

namespace {

/**
 * Places buffers one after the other in memory of their own, each at a multiple of 64 bytes: `placeAll` calls its
 * argument with each pointer and its size, first to measure.
 */
template <class PlaceAll>
AlignedBytes placed(PlaceAll &&placeAll) {
  AlignedBytes memory;
  size_t size = 0;
  const auto place = [&](auto *&pointer, size_t bytes) {
    if (memory.data()) pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(memory.data() + size);
    size += roundUp(bytes, 64);
  };
  placeAll(place);
  memory = AlignedBytes(size);
  size = 0;
  placeAll(place);
  return memory;
}

/** Bytes of an integer, for the kernel that needs most. */
constexpr size_t BYTE_SIZE = sizeof(uint16_t);

}  // namespace

Workspace::Workspace(const Model &model, int rows) {
  const size_t inner = roundUp(size_t(model.inner), 64), headSize = size_t(model.headSize);
  const size_t tokens = size_t(std::min(rows, model.positions)), paddedTokens = roundUp(tokens, 64);
  constexpr size_t maxDepth = 64;
  memory = placed([&](auto &&place) {
    place(head, size_t(rows) * 3 * headSize * sizeof(float));
    place(wide, CHUNK_ROWS * inner * sizeof(float));
    place(wideBytes, (CHUNK_ROWS + SLACK_ROWS) * inner * BYTE_SIZE);
    place(wideScale, CHUNK_ROWS * sizeof(float));
    place(wideZero, CHUNK_ROWS * sizeof(float));
    place(queries, (tokens + 1 + SLACK_ROWS) * maxDepth * BYTE_SIZE);
    place(keyRows, paddedTokens * headSize);
    place(keys, paddedTokens * maxDepth);
    place(keyOffsets, paddedTokens * sizeof(int32_t));
    place(values, paddedTokens * headSize * BYTE_SIZE);
    place(scores, QUERY_ROWS * paddedTokens * sizeof(int32_t));
    place(probabilities, (QUERY_ROWS + SLACK_ROWS) * paddedTokens * BYTE_SIZE);
  });
}

Scratch::Scratch(const Model &model, int maxRows) : rows(maxRows), own(model, maxRows) {
  const size_t width = size_t(model.width), count = size_t(rows);
  memory = placed([&](auto &&place) {
    place(stream, count * width * sizeof(float));
    place(context, count * width * sizeof(float));
    place(bytes, (count + SLACK_ROWS) * width * BYTE_SIZE);
    place(scale, count * sizeof(float));
    place(zero, count * sizeof(float));
  });
}

}  // namespace embedmill
