/** Routes for the analysis of a completed run: its state, map, topics, near-duplicates and tables. */

import { RequestError } from '@embedmill/contract';
import { FLAT_FORMATS, type FlatFormatName } from '@embedmill/core/formats';
import { type Run, resultsShape } from '@embedmill/core/runs';
import { create as contentDisposition } from 'content-disposition';
import { type Request, type Response, Router } from 'express';
import { requireRole } from '../access/index.ts';
import { type FlatTable, rowsTable, topicsTable } from '../analysis/tables.ts';
import { addPath } from '../http/add-path.ts';
import { readJsonBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { shareOf } from '../http/memory-budget.ts';
import { sendJson, sendStream } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { analysisMemory, completedRun, downloadMemory } from './downloads.ts';
import { analysisBody, tableBody, topicNameBody, topicPath, topicsTableQuery } from './schemas.ts';

/** `/v1/runs/:id/analysis`, `/map`, `/topics`, `/duplicates` and `/table`. */
export function analysisRoutes({ service, limits, log }: RouteDeps): Router {
  const router = Router();
  const bodyLimits = { maxBytes: limits.maxJsonBytes, stallMs: limits.bodyStallMs };
  // The body may list rows.
  const tableLimits = { maxBytes: limits.maxTextsBytes, stallMs: limits.bodyStallMs };
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

  addPath(router, '/v1/runs/:id/topics/table', {
    get: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const { format } = checkInput(topicsTableQuery, 'query', req.query);
      await shareOf(req).resize(analysisMemory(run));
      const table = topicsTable(await service.analyses().topics(run));
      await sendTable(req, res, { run, format, table, name: 'topics', memoryBytes: analysisMemory(run) });
    },
  });

  addPath(router, '/v1/runs/:id/table', {
    post: async (req, res) => {
      const run = await completedRun(service.runs(), req, res);
      const { format, rows } = checkInput(tableBody, 'body', await readJsonBody(req, tableLimits));
      const count = rows?.length ?? resultsShape(run).rows;
      assertFits(count, format);
      const memoryBytes = analysisMemory(run) + downloadMemory(run, { isGrouped: true });
      await shareOf(req).resize(shareOf(req).bytes + memoryBytes);
      const analysis = await service.analyses().read(run);
      const kept = (await service.columns().columnsOf(run)).filter(({ source }) => source === 'input');
      const table = rowsTable(run, analysis, {
        topics: await service.analyses().topics(run),
        columns: kept.map(({ name }) => name),
        wanted: rows === null ? null : new Set(rows),
      });
      await sendTable(req, res, { run, format, table, name: 'rows', memoryBytes });
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

  async function sendTable(
    req: Request,
    res: Response,
    { run, format, table, name, memoryBytes }: SentTable,
  ): Promise<void> {
    const { contentType, extension, encode } = FLAT_FORMATS[format];
    const file = `${run.options.name ?? run.id} ${name}${extension}`.replaceAll(/[/\\]/g, '_');
    const stream = {
      status: 200,
      headers: {
        'Content-Type': contentType,
        'Content-Disposition': contentDisposition(file),
        'Cache-Control': 'private, no-cache',
      },
      memoryBytes,
      chunks: encode(table.columns, table.rows),
    };
    await sendStream(req, res, stream, { log, limits });
  }
}

/** A table that is sent as a file. */
interface SentTable {
  run: Run;
  format: FlatFormatName;
  table: FlatTable;
  /** What it has one row for. */
  name: string;
  memoryBytes: number;
}

/** @throws {RequestError} `run-too-large` */
function assertFits(rows: number, format: FlatFormatName): void {
  const { maxRows } = FLAT_FORMATS[format];
  if (rows <= maxRows) return;
  throw new RequestError(
    'run-too-large',
    `the table has ${rows.toLocaleString('en')} rows; ${format} holds at most ${maxRows.toLocaleString('en')}`,
    { facts: { rows, limit: maxRows } },
  );
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
