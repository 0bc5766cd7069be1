/** Embeds a list of texts through a producer and brings the vectors into memory; for lists that fit there. */

import type { EmbedmillClient } from '@embedmill/client';
import { CorruptError, type RowRead, type RunInfo } from '@embedmill/contract';
import { cutParts, PART_LIMITS } from '../../engine/run/cut-parts.ts';
import { drive } from '../../engine/run/drive.ts';
import { Tracker } from '../../engine/run/tracker.ts';
import type { ProgressDisplay } from '../../shell/progress/index.ts';

/** What is embedded, and who is told how far it is. */
export interface TextsDeps {
  client: EmbedmillClient;
  display: ProgressDisplay;
  signal: AbortSignal;
  /** Name of the run. */
  name: string;
  texts: readonly { id: string; text: string }[];
}

/** The completed run and its vectors, row by row. */
export interface EmbeddedTexts {
  run: RunInfo;
  dim: number;
  vectors: Float32Array;
}

/** Our own texts are far below any limit. */
const MAX_ROW_BYTES = 1024 * 1024;

export async function embedTexts({
  client,
  display,
  signal,
  name,
  texts,
}: TextsDeps): Promise<EmbeddedTexts> {
  const tracker = new Tracker({ display, fractionRead: () => null, limit: texts.length });
  const created = await client.createRun({ name, precision: 'int8', truncate: 'end' });
  const parts = cutParts(slice(texts), { ...PART_LIMITS, maxRowBytes: MAX_ROW_BYTES });
  const run = await drive({ client, run: created, parts, tracker, signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of await client.openResults(run.id, 'npy')) chunks.push(chunk);
  display.end();
  return { run, ...readMatrix(Buffer.concat(chunks)) };
}

async function* slice(texts: TextsDeps['texts']): AsyncGenerator<RowRead[]> {
  yield texts.map(({ id, text }, at): RowRead => ({ ok: true, line: at + 1, id, text }));
}

/** A float32 matrix in NumPy's format, version 1.0 (NEP 1). */
function readMatrix(npy: Buffer): { dim: number; vectors: Float32Array } {
  const start = 10 + npy.readUInt16LE(8);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(npy.subarray(10, start).toString('latin1'));
  if (shape === null) throw new CorruptError('wrong-output', 'the producer sent no NumPy matrix');
  // A copy, because floats must begin at a multiple of four.
  const bytes = Uint8Array.from(npy.subarray(start));
  return { dim: Number(shape[2]), vectors: new Float32Array(bytes.buffer) };
}
