/** Embeds a list of texts through a producer and loads their vectors into memory. */

import type { EmbedmillClient } from '@embedmill/client';
import { CorruptError, type RowRead, type RunInfo } from '@embedmill/contract';
import { drive } from '../../engine/run/drive.ts';
import { encodeParts, PART_LIMITS } from '../../engine/run/encode-parts.ts';
import { runClientOf } from '../../engine/run/run-client.ts';
import { Tracker } from '../../engine/run/tracker.ts';
import type { ProgressDisplay } from '../../shell/progress/index.ts';

/** Dependencies of {@link embedSample}. */
export interface EmbedSampleDeps {
  client: EmbedmillClient;
  display: ProgressDisplay;
  signal: AbortSignal;
  /** Name of the run. */
  name: string;
  texts: readonly { id: string; text: string }[];
}

/** A completed run and its vectors. */
export interface EmbeddedSample {
  run: RunInfo;
  dim: number;
  /** Matrix of texts × dim, in row-major order. */
  vectors: Float32Array;
}

/** Far above the size of any sample text. */
const MAX_ROW_BYTES = 1024 * 1024;

/** Embeds the texts in a run of their own. */
export async function embedSample({
  client,
  display,
  signal,
  name,
  texts,
}: EmbedSampleDeps): Promise<EmbeddedSample> {
  const tracker = new Tracker({ display, fractionRead: () => null, limit: texts.length });
  const created = await client.createRun({ name, precision: 'int8', truncate: 'end' });
  const parts = encodeParts(slice(texts), { ...PART_LIMITS, maxRowBytes: MAX_ROW_BYTES });
  const run = await drive({
    client: runClientOf(client),
    run: created,
    parts,
    tracker,
    maxUnknown: null,
    signal,
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of await client.openResults(run.id, 'npy')) chunks.push(chunk);
  display.end();
  return { run, ...readMatrix(Buffer.concat(chunks)) };
}

async function* slice(texts: EmbedSampleDeps['texts']): AsyncGenerator<RowRead[]> {
  yield texts.map(({ id, text }, at): RowRead => ({ ok: true, line: at + 1, id, text }));
}

/** Parses a float32 matrix in NumPy format, version 1.0 (NEP 1). */
function readMatrix(npy: Buffer): { dim: number; vectors: Float32Array } {
  const start = 10 + npy.readUInt16LE(8);
  const shape = /'shape': \((\d+), (\d+)\)/.exec(npy.subarray(10, start).toString('latin1'));
  if (shape === null) throw new CorruptError('wrong-output', 'the producer sent an invalid NumPy matrix');
  // A copy, because floats must be aligned to four bytes.
  const bytes = Uint8Array.from(npy.subarray(start));
  return { dim: Number(shape[2]), vectors: new Float32Array(bytes.buffer) };
}
