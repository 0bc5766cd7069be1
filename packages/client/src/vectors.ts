/** Reads the vectors of a completed run as float32, with their ids, in batches. */

import { ClientError } from './errors.ts';
import type { CallOptions, Http } from './http.ts';
import { readJsonLines } from './lines.ts';

/** Consecutive rows of a run. */
export interface VectorBatch {
  ids: string[];
  /** Floats per vector. */
  dim: number;
  /** rows × dim; zeros for a row without a vector. The report gives the reason. */
  vectors: Float32Array;
}

/** Options of {@link readVectors}. */
export interface ReadVectorsOptions extends CallOptions {
  /** Rows per batch; the last one may have fewer. Default 1,000. */
  batchRows?: number;
}

const DEFAULT_VECTOR_ROWS = 1000;

/**
 * Streams vectors and ids over two requests, as fast as the caller reads them; holds one batch in memory.
 * @throws {ClientError} `wrong-results` if a response is incomplete or is not a float32 matrix
 */
export async function* readVectors(
  http: Http,
  id: string,
  { batchRows = DEFAULT_VECTOR_ROWS, signal }: ReadVectorsOptions = {},
): AsyncGenerator<VectorBatch> {
  const path = `/v1/runs/${encodeURIComponent(id)}`;
  const idLines = readJsonLines<{ id: string }>(await http.open(`${path}/ids`, { signal }));
  const bytes = new ByteReader(await http.open(`${path}/results?format=npy`, { signal }));
  try {
    const { rows, dim } = await readHeader(bytes);
    for (let done = 0; done < rows; done += batchRows) {
      const count = Math.min(batchRows, rows - done);
      const vectors = floatsOf(await bytes.read(count * dim * 4));
      const ids: string[] = [];
      while (ids.length < count) {
        const { done: isOver, value } = await idLines.next();
        if (isOver) throw incomplete();
        ids.push(value.id);
      }
      yield { ids, dim, vectors };
    }
  } finally {
    await Promise.all([bytes.close(), idLines.return(undefined)]);
  }
}

/** Reads the shape from the header of a NumPy file, version 1.0 (NEP 1), of little-endian float32. */
async function readHeader(bytes: ByteReader): Promise<{ rows: number; dim: number }> {
  const start = await bytes.read(10);
  const length = new DataView(start.buffer).getUint16(8, true);
  const header = new TextDecoder().decode(await bytes.read(length));
  const shape = /'descr': '<f4'.*'shape': \((\d+), (\d+)\)/.exec(header);
  if (shape === null) throw new ClientError('wrong-results', 'the producer did not send a float32 matrix');
  return { rows: Number(shape[1]), dim: Number(shape[2]) };
}

/** A view of little-endian bytes; every browser and every platform of Node is little-endian. */
function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer);
}

function incomplete(): ClientError {
  return new ClientError('wrong-results', 'the results are incomplete');
}

/** Reads exact numbers of bytes from chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, as a copy. */
  async read(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      if (this.#chunk.byteLength === 0) {
        const { done, value } = await this.#chunks.next();
        if (done) throw incomplete();
        this.#chunk = value;
      }
      const part = this.#chunk.subarray(0, length - at);
      bytes.set(part, at);
      at += part.byteLength;
      this.#chunk = this.#chunk.subarray(part.byteLength);
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
