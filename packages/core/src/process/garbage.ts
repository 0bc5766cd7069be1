/**
 * Garbage collection of processes that pass much data through buffers.
 * Decision: docs/decisions/0188-garbage-of-the-producer.md.
 */

import { setFlagsFromString } from 'node:v8';

/**
 * The next collection of the whole heap begins when heap and buffers have this multiple of their size after the last one: the maximum
 * of V8's own rule, which takes 1.3 to 4 (`MemoryController::GrowingFactor`,
 * https://github.com/v8/v8/blob/11.3-lkgr/src/heap/memory-controller.cc).
 */
const GROWING_FACTOR = 4;

/** Makes V8 collect the whole heap less often, in all threads of this process. */
export function collectGarbageLessOften(): void {
  setFlagsFromString(`--heap-growing-percent=${(GROWING_FACTOR - 1) * 100}`);
}
