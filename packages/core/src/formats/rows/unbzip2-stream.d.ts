/** Types for the used parts of `unbzip2-stream`, which has them for its stream only. */

declare module 'unbzip2-stream/lib/bit_iterator.js' {
  function bitIterator(nextChunk: () => Uint8Array | undefined): bitIterator.BitReader;
  namespace bitIterator {
    interface BitReader {
      (bits: number | null): number;
      readonly bytesRead: number;
    }
  }
  export = bitIterator;
}

declare module 'unbzip2-stream/lib/bzip2.js' {
  import type { BitReader } from 'unbzip2-stream/lib/bit_iterator.js';

  const bzip2: {
    /** Reads the header of a member. Returns the size of its blocks in units of 100,000 bytes. */
    header(bits: BitReader): number;
    /** Unpacks a block. Returns the checksum of the member so far, or `null` at its end. */
    decompress(
      bits: BitReader,
      onByte: (byte: number) => void,
      work: Int32Array,
      workLength: number,
      checksum: number | null,
    ): number | null;
  };
  export = bzip2;
}
