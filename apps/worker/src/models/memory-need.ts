/** Estimates the memory of a model, so that a worker refuses one that would get it killed. */

import { stat } from 'node:fs/promises';
import type { LoadedModel } from './load-protocol.ts';

/** ONNX Runtime keeps the weights once more, in the order in which its kernels read them. */
const ONNX_COPIES = 2;

/**
 * Part of the stated heap, which is a limit, that an open tokenizer takes: multilingual-e5-small states 522 MB and takes 75
 * MB per thread.
 */
const HEAP_SHARE = 0.25;

/** Kept free for the texts in progress. */
const SPARE_BYTES = 64 * 1024 * 1024;

/**
 * Bytes that this process needs to serve a model. The exact engine holds the weights once per process, the others once
 * per thread. A tokenizer that threads share is in memory already. While threads are replaced there is one more.
 */
export async function memoryNeedBytes(
  { prepared, tokenizer }: Pick<LoadedModel, 'prepared' | 'tokenizer'>,
  threads: number,
): Promise<number> {
  const { engine, modelPath, heapMb } = prepared;
  const { size } = await stat(modelPath);
  const copies = engine === 'exact' ? 1 : (threads + 1) * (engine === 'onnx' ? ONNX_COPIES : 1);
  const heapBytes = tokenizer === undefined ? HEAP_SHARE * heapMb * 1024 * 1024 : 0;
  return copies * size + (threads + 1) * heapBytes + SPARE_BYTES;
}
