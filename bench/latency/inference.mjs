/** Embeds questions on one thread without any server; prints nothing. `main.mjs` reads its CPU time per text. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Embedder, prepareModel } from '@embedmill/embed';

const model = await prepareModel({ precision: 'int8', cacheDir: join(tmpdir(), 'embedmill-bench') });
const embedder = await Embedder.open(model);
const target = new Float32Array(model.dim);

process.on('message', async ({ texts, rounds }) => {
  for (const text of texts) await embedder.embed(text, target, 0);
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) {
    for (const text of texts) await embedder.embed(text, target, 0);
  }
  const { user, system } = process.cpuUsage(before);
  process.send({ cpuMs: (user + system) / 1000 / (rounds * texts.length) });
});
process.on('disconnect', () => process.exit());
process.send({ url: '' });
