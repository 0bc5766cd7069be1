/** Routes for the analysis of a completed run: its state, map, topics and near-duplicates. */

import { Router } from 'express';
import { requireRole } from '../access/index.ts';
import { addPath } from '../http/add-path.ts';
import { readJsonBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { shareOf } from '../http/memory-budget.ts';
import { sendJson, sendStream } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { analysisMemory, completedRun } from './downloads.ts';
import { analysisBody, topicNameBody, topicPath } from './schemas.ts';

/** `/v1/runs/:id/analysis`, `/map`, `/topics` and `/duplicates`. */
export function analysisRoutes({ service, limits, log }: RouteDeps): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };
  const headers = { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'private, no-cache' };

  addPath(router, '/v1/runs/:id/analysis', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      await shareOf(req).resize(analysisMemory(run));
      sendJson(res, 200, await service.analyses().status(run));
    },
    post: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const { topics } = checkInput(analysisBody, 'body', await readJsonBody(req, bodyLimits));
      // Others see what is stored; the first analysis replaces nothing.
      if (topics !== undefined) requireRole(res, 'submit');
      await shareOf(req).resize(analysisMemory(run));
      sendJson(res, 202, await service.analyses().request(run, topics));
    },
  });

  addPath(router, '/v1/runs/:id/map', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const memoryBytes = analysisMemory(run);
      await shareOf(req).resize(memoryBytes);
      const { places } = await service.analyses().read(run);
      await sendStream(
        req,
        res,
        { status: 200, headers, memoryBytes, chunks: chunksOf(places) },
        { log, limits },
      );
    },
  });

  addPath(router, '/v1/runs/:id/topics', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      await shareOf(req).resize(analysisMemory(run));
      sendJson(res, 200, await service.analyses().topics(run));
    },
  });

  addPath(router, '/v1/runs/:id/topics/rows', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const memoryBytes = analysisMemory(run);
      await shareOf(req).resize(memoryBytes);
      const { scores, topicOf } = await service.analyses().read(run);
      const chunks = chunksOf(scores, topicOf);
      await sendStream(req, res, { status: 200, headers, memoryBytes, chunks }, { log, limits });
    },
  });

  addPath(router, '/v1/runs/:id/topics/:topic', {
    patch: async (req, res) => {
      const { topic } = checkInput(topicPath, 'query', { topic: req.params.topic });
      const run = await completedRun(service.runs(), req, res);
      const { name } = checkInput(topicNameBody, 'body', await readJsonBody(req, bodyLimits));
      await shareOf(req).resize(analysisMemory(run));
      await service.analyses().rename(run, topic, name);
      sendJson(res, 200, (await service.analyses().topics(run)).topics[topic]);
    },
  });

  addPath(router, '/v1/runs/:id/duplicates', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      await shareOf(req).resize(analysisMemory(run));
      sendJson(res, 200, await service.analyses().duplicates(run));
    },
  });
  return router;
}

const CHUNK_BYTES = 256 * 1024;

/** Arrays as little-endian bytes, which is the order of every CPU that Node runs on. */
async function* chunksOf(...arrays: readonly (Float32Array | Int16Array)[]): AsyncGenerator<Uint8Array> {
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (let at = 0; at < byteLength; at += CHUNK_BYTES) {
      yield new Uint8Array(buffer, byteOffset + at, Math.min(CHUNK_BYTES, byteLength - at));
    }
  }
}
