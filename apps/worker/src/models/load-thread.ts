/**
 * The program of a thread that pulls, prepares and checks one model, so that the main thread keeps renewing locks;
 * `load-in-thread.ts` starts it.
 */

import { existsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { BUILT_IN_MODEL, EmbedmillError } from '@embedmill/contract';
import type { PullProgress } from '@embedmill/core/hub';
import { throttled } from '@embedmill/core/process';
import { describeModel, prepareModel, shareTokenizer } from '@embedmill/embed';
import { installedFolder } from '@embedmill/embed/added-models';
import { serializeError } from '../inference/thread-errors.ts';
import { pullModel } from '../pull-model.ts';
import { checkModel } from './check-model.ts';
import type { LoadMessage, LoadRequest } from './load-protocol.ts';

/** Minimum time between two reports of progress. */
const PROGRESS_MS = 500;

if (parentPort === null) throw new Error('load-thread.js must run as a worker thread; ModelLoader starts it');
const port = parentPort;
const { settings, model, precision, source } = workerData as LoadRequest;
const stopping = new AbortController();
// Any message ends a pull.
port.once('message', () => stopping.abort(new Error('the worker is stopping')));
try {
  await pullIfMissing();
  send({ kind: 'progress', doing: 'preparing it' });
  const name = model === BUILT_IN_MODEL ? undefined : model;
  const { cacheDir, engine, kernel } = settings;
  const prepared = await prepareModel({ model: name, precision, engine, kernel, cacheDir });
  const tokenizer = await shareTokenizer(prepared.tokenizerPath, cacheDir);
  await checkModel(prepared, { tokenizer });
  const description = await describeModel(prepared, name, cacheDir);
  send({ kind: 'loaded', prepared, description, tokenizer });
} catch (thrown) {
  send({ kind: 'failed', error: serializeError(thrown) });
}
port.close();

async function pullIfMissing(): Promise<void> {
  if (source === null || existsSync(installedFolder(model, settings.cacheDir))) return;
  const reportBytes = throttled(PROGRESS_MS, ({ bytesDone, bytesTotal }: PullProgress) =>
    send({ kind: 'progress', doing: `fetching it (${megabytes(bytesDone)} of ${megabytes(bytesTotal)} MB)` }),
  );
  const report = (progress: PullProgress) => {
    if (progress.bytesDone < progress.bytesTotal) reportBytes(progress);
    else send({ kind: 'progress', doing: 'trying it' });
  };
  send({ kind: 'progress', doing: 'fetching it' });
  try {
    await pullModel({
      model: source,
      name: model,
      config: settings,
      onProgress: report,
      signal: stopping.signal,
    });
  } catch (error) {
    // Another worker with the same cache folder was first.
    if (!(error instanceof EmbedmillError && error.code === 'model-installed')) throw error;
  }
}

function send(message: LoadMessage): void {
  port.postMessage(message);
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1_000_000);
}
