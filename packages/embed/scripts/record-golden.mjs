/**
 * Records the fp32 vectors of the golden sentences in data/golden-vectors.json, the digest of the vectors of the
 * exact engine in data/golden-exact.json, and the digest of the built-in static model in data/static-model.json.
 *
 * Run it after `npm run build`, and only if the sentences or a revision of the exact engine change: `node
 * packages/embed/scripts/record-golden.mjs`. Any other change of these vectors is an error that they exist to
 * detect.
 */

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXACT_GOLDEN_PATH, GOLDEN_SET_PATH, goldenDigest } from '../dist/golden/golden-set.js';
import { Embedder, prepareModel } from '../dist/index.js';
import { makeStaticTable, STATIC_RECORD_PATH, staticWeights } from '../dist/prepare/static-model.js';

const lighthouse =
  'The lighthouse keeper wrote one line every evening, about the wind, the ships and the state of the lamp. ';
const sentences = [
  'hello world',
  'The kettle stopped working after two weeks and nobody answers my letters.',
  'Great sound, light, folds flat. Five stars.',
  'Où est la gare, s’il vous plaît ?',
  '東京で一番おいしいラーメン',
  'SELECT id, price FROM orders WHERE price > 100;',
  'no',
  'Delivery took 3 days 🚚, box was wet 😕 but the book is fine.',
  // Over the token limit: a worker that cuts the text elsewhere computes a different vector.
  `${lighthouse.repeat(20)}In the end the sea took the tower.`,
];

const folder = await mkdtemp(join(tmpdir(), 'embedmill-golden-'));
try {
  const embedder = await Embedder.open(await prepareModel({ precision: 'fp32', cacheDir: folder }));
  const records = [];
  for (const text of sentences) {
    const vector = new Float32Array(embedder.model.dim);
    await embedder.embed(text, vector, 0);
    records.push(
      `  { "text": ${JSON.stringify(text)}, "vector": [${Array.from(vector, (x) => Number(x.toFixed(5))).join(', ')}] }`,
    );
  }
  await embedder.close();
  await writeFile(GOLDEN_SET_PATH, `[\n${records.join(',\n')}\n]\n`);
  const exact = await Embedder.open(
    await prepareModel({ precision: 'int8', engine: 'exact', kernel: 'scalar', cacheDir: folder }),
  );
  const { fingerprint } = exact.model;
  await writeFile(
    EXACT_GOLDEN_PATH,
    `${JSON.stringify({ fingerprint, sha256: await goldenDigest(exact) }, null, 2)}\n`,
  );
  await exact.close();
  const source = await prepareModel({ precision: 'int8', engine: 'exact', cacheDir: folder });
  const sha256 = createHash('sha256')
    .update(await makeStaticTable(source))
    .digest('hex');
  await writeFile(
    STATIC_RECORD_PATH,
    `${JSON.stringify({ weights: staticWeights(source), sha256 }, null, 2)}\n`,
  );
} finally {
  await rm(folder, { recursive: true });
}
