/**
 * Compares real models with the vectors of their own libraries, in this process and in worker threads.
 *
 * Needs `EMBEDMILL_REFERENCE_MODELS`, a folder with model folders and `reference/NAME.json` as `embedmill model check
 * --reference` reads them; skipped without it.
 */

import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UNTREATED } from '@embedmill/contract';
import { decodeBatchResult, encodeBatchPayload } from '@embedmill/core/batch';
import { Embedder, prepareModel } from '@embedmill/embed';
import { InferencePool } from '@embedmill/worker/inference';
import { describe, expect, onTestFinished, test } from 'vitest';
import { compareReference, readReference } from '../../apps/cli/src/commands/model/reference.ts';
import { cacheDir } from '../unit/embed/models.ts';

const root = process.env.EMBEDMILL_REFERENCE_MODELS;
if (root === undefined) {
  console.warn('EMBEDMILL_REFERENCE_MODELS is not set: real models are not compared with their references');
}
const names =
  root === undefined
    ? []
    : readdirSync(join(root, 'reference'))
        .map((file) => basename(file, '.json'))
        .filter((name) => existsSync(join(root, name, 'onnx')));

describe.skipIf(names.length === 0)('a real model', () => {
  test.each(names)('%s has the ids and vectors of its library, also in threads', async (name) => {
    const model = await prepareModel({ model: join(root!, name), precision: 'int8', cacheDir });
    const reference = await readReference(join(root!, 'reference', `${name}.json`));
    const embedder = await Embedder.open(model);
    onTestFinished(() => embedder.close());
    const { report, problems } = await compareReference(embedder, reference);
    console.log(name, model.engine, report);
    expect(problems).toEqual([]);
    expect(report.equalIds).toBe(reference.texts.length);

    const pool = new InferencePool({ threads: 2, prepare: () => model });
    onTestFinished(() => pool.stop({ deadlineMs: 1000 }));
    await pool.start();
    const texts = reference.texts.map(({ text }) => text);
    const treatment = { ...UNTREATED, prompt: reference.prompt };
    const bulk = { precision: 'int8', truncate: 'end', treatment, batch: 0 } as const;
    const result = decodeBatchResult(await pool.embedBatch({ ...bulk, payload: encodeBatchPayload(texts) }));
    const own = new Float32Array(texts.length * model.dim);
    for (const [row, text] of texts.entries()) {
      await embedder.embed(text, own, row * model.dim, { treatment });
    }
    expect(Buffer.from(result.vectors.buffer).equals(Buffer.from(own.buffer))).toBe(true);
  });
});
