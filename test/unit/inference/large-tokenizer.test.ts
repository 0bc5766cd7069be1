/** Inference threads with a tokenizer of 250,000 pieces, at the default heap. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBatchResult, encodeBatchPayload } from '@embedmill/core/batch';
import { prepareModel } from '@embedmill/embed';
import { type InferenceEvent, InferencePool } from '@embedmill/worker/inference';
import { expect, onTestFinished, test } from 'vitest';
import { GraphBuilder } from '../../../packages/embed/src/compile/onnx/graph-builder.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { unigramFile } from '../../support/unigram-file.ts';
import { cacheDir } from '../embed/models.ts';

const PIECES = 250_000;
const DIM = 2;

/** A word of letters for each number, all different. */
const wordOf = (n: number): string =>
  `▁${n.toString(26).replace(/./g, (c) => 'abcdefghijklmnopqrstuvwxyz'[Number.parseInt(c, 26)]!)}`;

function writeModel(): string {
  const root = join(temporaryFolder(), 'large');
  mkdirSync(join(root, 'onnx'), { recursive: true });
  const pieces = Array.from({ length: PIECES }, (_, n): [string, number] => [wordOf(n), -5 - n / PIECES]);
  const graph = new GraphBuilder();
  const ids = graph.input('input_ids', 'int64', ['batch', 'tokens']);
  const table = Float32Array.from({ length: (PIECES + 4) * DIM }, (_, i) => (i % DIM === 0 ? 1 : i / PIECES));
  graph.node('last_hidden_state', 'Gather', [graph.constant('table', table, [PIECES + 4, DIM]), ids]);
  graph.output('last_hidden_state', 'float32', ['batch', 'tokens', DIM]);
  writeFileSync(join(root, 'onnx/model.onnx'), graph.encode('table'));
  writeFileSync(join(root, 'config.json'), JSON.stringify({ max_position_embeddings: 64 }));
  writeFileSync(join(root, 'tokenizer.json'), JSON.stringify(unigramFile(pieces)));
  return root;
}

test('open it and embed its last word', async () => {
  const model = await prepareModel({ model: writeModel(), precision: 'fp32', cacheDir });
  const events: InferenceEvent[] = [];
  // No more heap than every thread has: the pieces are outside of it.
  const prepare = () => ({ ...model, heapMb: 0 });
  const pool = new InferencePool({
    threads: 2,
    precision: 'fp32',
    prepare,
    onEvent: (event) => events.push(event),
  });
  onTestFinished(() => pool.stop({ deadlineMs: 1000 }));
  await pool.start();
  const payload = encodeBatchPayload([wordOf(PIECES - 1).slice(1)]);
  const options = { payload, batch: 0, precision: 'fp32', truncate: 'end' } as const;
  const { outcomes, vectors } = decodeBatchResult(await pool.embedBatch(options));
  expect(outcomes).toEqual([{ verdict: 'ok', tokens: 3, lostTokens: 0 }]);
  // The mean of the rows of <s>, the last piece and </s>.
  const second = (1 + (2 * (PIECES + 3) + 1) + 5) / PIECES / 3;
  expect(vectors[1]! / vectors[0]!).toBeCloseTo(second, 4);
  expect(events.map(({ kind }) => kind)).toEqual(['thread-ready', 'thread-ready']);
});
