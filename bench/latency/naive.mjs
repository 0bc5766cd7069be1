/**
 * The server that a programmer writes first: express and transformers.js (q8) in one process, one text per request.
 * `main.mjs` starts it beside the stack.
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announce, defaultThreads } from '@embedmill/core/process';
import { prepareModel } from '@embedmill/embed';
import express from 'express';
import { hubFolder, importPeer } from '../engine/peers.mjs';

const { tokenizerPath } = await prepareModel({
  precision: 'fp32',
  cacheDir: join(tmpdir(), 'embedmill-bench'),
});
const { env, pipeline } = await importPeer('@huggingface/transformers', 'dist/transformers.node.mjs');
env.allowRemoteModels = false;
const extract = await pipeline('feature-extraction', await hubFolder(tokenizerPath), {
  dtype: 'q8',
  session_options: { intraOpNumThreads: defaultThreads(), interOpNumThreads: 1 },
});

const app = express();
app.use(express.json());
app.post('/v1/embed', async (req, res) => {
  const { data } = await extract([req.body.text], { pooling: 'mean', normalize: true });
  res.json({ vectors: [Array.from(data)] });
});
const server = app.listen(0, '127.0.0.1', () =>
  announce({ ready: true, url: `http://127.0.0.1:${server.address().port}` }),
);
// A turn of the other server lasts longer than Node's default of 5 s.
server.keepAliveTimeout = 600_000;
process.on('disconnect', () => process.exit());
