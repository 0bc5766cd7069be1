/** Re-cuts a byte stream into blocks of one size, so that no parser depends on how its bytes arrived. */

/** Bytes in each block but the last. One block is one array of rows: small enough to stay in the CPU's cache. */
export const blockBytes = 64 * 1024;

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The same bytes in blocks of `blockBytes`, without a UTF-8 byte order mark at the start. Holds at most one block; a
 * block is not written to again after it was given out. Nothing comes before a block is full or the input ends.
 */
export async function* cutBlocks(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(blockBytes);
  let filled = 0;
  let first = true;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, blockBytes - filled);
      block.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < blockBytes) continue;
      yield first ? withoutMark(block) : block;
      first = false;
      block = Buffer.allocUnsafe(blockBytes);
      filled = 0;
    }
  }
  if (filled === 0) return;
  const rest = block.subarray(0, filled);
  yield first ? withoutMark(rest) : rest;
}

function withoutMark(block: Buffer): Buffer {
  return block.subarray(0, byteOrderMark.length).equals(byteOrderMark)
    ? block.subarray(byteOrderMark.length)
    : block;
}
