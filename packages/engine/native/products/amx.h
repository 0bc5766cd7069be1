/** The products with AMX: blocks of 32 rows x 32 columns, in four tiles of sums. */
#pragma once
#if defined(EMULATED_TILES)
#include EMULATED_TILES
#else
#include <immintrin.h>
#endif

#include "common.h"

namespace embedmill::KERNEL {

using Byte = uint8_t;
constexpr int K_STEP = 64, BLOCK_ROWS = 32, ROW_UNIT = 32, BLOCK_PANELS = 2;

/** Loads the configuration of the tiles, 16 rows of 64 bytes each, and releases them at the end. */
class Session {
 public:
  Session() {
#if !defined(EMULATED_TILES)
    static const Configuration configuration;
    // As assembly: the intrinsic of g++ 12 names 8 of the 64 bytes that it reads, and the rest is optimised away.
    asm volatile("ldtilecfg %0" ::"m"(configuration));
#endif
  }
  ~Session() { _tile_release(); }

 private:
  struct Configuration {
    uint8_t palette = 1, start = 0, reserved[14] = {};
    uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
};

BLOCK product(const Byte *a, int lda, int rows, const int8_t *b, size_t stride, int k, int panels, const int32_t *start,
              int32_t *c, int ldc) {
  static constexpr int32_t zeros[2 * LANES] = {};
  const Byte *below = a + 16 * size_t(lda);
  const int8_t *right = b + stride;
  if (!start) start = zeros;
  asm volatile("" ::: "memory");  // the tile intrinsics of g++ 12 do not say that they read memory
  const bool twoRows = rows > 16, twoPanels = panels == 2;
  // A stride of 0 loads the starting values into every row.
  _tile_loadd(0, start, 0);
  if (twoPanels) _tile_loadd(1, start + LANES, 0);
  if (twoRows) _tile_loadd(2, start, 0);
  if (twoRows && twoPanels) {
    _tile_loadd(3, start + LANES, 0);
    for (int i = 0; i < k; i += 64) {
      _tile_loadd(4, a + i, lda);
      _tile_loadd(6, b + size_t(LANES) * i, 64);
      _tile_loadd(7, right + size_t(LANES) * i, 64);
      _tile_loadd(5, below + i, lda);
      _tile_dpbusd(0, 4, 6);
      _tile_dpbusd(1, 4, 7);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
    _tile_stored(3, c + 16 * size_t(ldc) + LANES, 4 * size_t(ldc));
  } else {
    for (int i = 0; i < k; i += 64) {
      _tile_loadd(4, a + i, lda);
      _tile_loadd(6, b + size_t(LANES) * i, 64);
      _tile_dpbusd(0, 4, 6);
      if (twoPanels) {
        _tile_loadd(7, right + size_t(LANES) * i, 64);
        _tile_dpbusd(1, 4, 7);
      }
      if (twoRows) {
        _tile_loadd(5, below + i, lda);
        _tile_dpbusd(2, 5, 6);
      }
    }
  }
  _tile_stored(0, c, 4 * size_t(ldc));
  if (twoPanels) _tile_stored(1, c + LANES, 4 * size_t(ldc));
  if (twoRows) _tile_stored(2, c + 16 * size_t(ldc), 4 * size_t(ldc));
}

}  // namespace embedmill::KERNEL

#include "split.h"
