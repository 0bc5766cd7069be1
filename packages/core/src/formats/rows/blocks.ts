/** Splits a byte stream into blocks of equal size, so that parsers do not depend on the size of the input's chunks. */

/** Size of each block but the last, in bytes. One block becomes one array of rows, small enough for the CPU cache. */
export const BLOCK_BYTES = 64 * 1024;

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Yields the same bytes in blocks of `BLOCK_BYTES`, without a UTF-8 byte order mark at the start. Holds at most one block;
 * a block is not modified after it was yielded. Yields only when a block is full or the input ends.
 */
export async function* cutBlocks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  let first = true;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, BLOCK_BYTES - filled);
      block.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < BLOCK_BYTES) continue;
      yield first ? withoutMark(block) : block;
      first = false;
      block = Buffer.allocUnsafe(BLOCK_BYTES);
      filled = 0;
    }
  }
  if (filled === 0) return;
  const rest = block.subarray(0, filled);
  yield first ? withoutMark(rest) : rest;
}

function withoutMark(block: Buffer): Buffer {
  return block.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? block.subarray(BYTE_ORDER_MARK.length)
    : block;
}
