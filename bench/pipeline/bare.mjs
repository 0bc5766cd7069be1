/** Child process that embeds the same texts in the same batches and threads without queue and files. */

import { DEFAULT_BATCH_ROWS, DEFAULT_BATCH_TOKENS } from '@embedmill/contract';
import { encodeBatchPayload } from '@embedmill/core/batch';
import { readConfig } from '@embedmill/core/process';
import { estimateTokens } from '@embedmill/core/runs';
import { prepareModel } from '@embedmill/embed';
import { InferencePool } from '@embedmill/worker';

const config = readConfig(process.env);
const pool = new InferencePool({
  threads: config.threads,
  prepare: (precision) => prepareModel({ precision, cacheDir: config.cacheDir }),
});
await pool.start();
process.on('message', async (texts) => {
  const batches = cut(texts);
  const startedAt = performance.now();
  await Promise.all(
    batches.map((batch, i) =>
      pool.embedBatch({ payload: encodeBatchPayload(batch), batch: i, precision: 'int8', truncate: 'end' }),
    ),
  );
  process.send({ seconds: (performance.now() - startedAt) / 1000 });
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });

function cut(texts) {
  const batches = [];
  let open = [];
  let tokens = 0;
  for (const text of texts) {
    const cost = estimateTokens(text);
    if (open.length > 0 && (open.length >= DEFAULT_BATCH_ROWS || tokens + cost > DEFAULT_BATCH_TOKENS)) {
      batches.push(open);
      open = [];
      tokens = 0;
    }
    open.push(text);
    tokens += cost;
  }
  if (open.length > 0) batches.push(open);
  return batches;
}
