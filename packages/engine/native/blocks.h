/** Divides a product into the blocks that a kernel computes at a time. */
#pragma once
#include "lanes/common.h"

namespace embedmill::KERNEL {

/**
 * Divides rows and panels into blocks of nearly equal size, the rows in steps of ROW_UNIT; panels are the outer loop,
 * so that they stay in the L1 cache.
 */
template <class Block>
INLINE void eachBlock(int rows, int maxRows, int panels, int maxPanels, Block &&block) {
  const int rowBlocks = (rows + maxRows - 1) / maxRows, panelBlocks = (panels + maxPanels - 1) / maxPanels;
  for (int p = 0, i = 0; i < panelBlocks; i++) {
    const int panelCount = (panels - p + panelBlocks - i - 1) / (panelBlocks - i);
    for (int r = 0, j = 0; j < rowBlocks; j++) {
      const int equal = (rows - r + rowBlocks - j - 1) / (rowBlocks - j);
      const int rowCount = smaller(roundedUp(equal, ROW_UNIT), rows - r);
      block(r, rowCount, p, panelCount);
      r += rowCount;
    }
    p += panelCount;
  }
}

}  // namespace embedmill::KERNEL
