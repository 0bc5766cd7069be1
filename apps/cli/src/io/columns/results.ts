/** Reads the vectors of a run as a producer sends them: JSON lines with base64. */

import { CorruptError, quote, type VectorRows } from '@embedmill/contract';
import { readTextLines } from '@embedmill/core/formats';

/** Maximum bytes of a line: an id, and more numbers than any model has. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** One line of the download. */
interface ResultLine {
  id: string;
  vector: string | null;
}

/**
 * The rows in order, in slices.
 * @param dim floats per vector
 * @throws {CorruptError} `wrong-output` if a line is not a row
 */
export async function* readResultLines(
  bytes: AsyncIterable<Uint8Array>,
  dim: number,
): AsyncGenerator<VectorRows> {
  for await (const lines of readTextLines(bytes, MAX_LINE_BYTES)) {
    const ids: string[] = [];
    const vectors = new Float32Array(lines.length * dim);
    const present = new Uint8Array(lines.length);
    const target = Buffer.from(vectors.buffer);
    for (const [row, line] of lines.entries()) {
      const { id, vector } = parseLine('text' in line ? line.text : '');
      ids.push(id);
      if (vector === null) continue;
      const written = target.write(vector, row * dim * 4, dim * 4, 'base64');
      if (written !== dim * 4 || Buffer.byteLength(vector, 'base64') !== written) throw invalid(vector, dim);
      present[row] = 1;
    }
    yield { ids, dim, vectors, present };
  }
}

function parseLine(text: string): ResultLine {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CorruptError('wrong-output', `the producer sent ${quote(text)} instead of a row`, { cause });
  }
}

function invalid(vector: string, dim: number): CorruptError {
  const message = `the producer sent the vector ${quote(vector)}; expected base64 of ${dim} floats`;
  return new CorruptError('wrong-output', message);
}
