/** Routes that receive the rows of a run, part by part, and list the complete parts. */

import { createHash } from 'node:crypto';
import { MIMEType } from 'node:util';
import { quote, RequestError } from '@embedmill/contract';
import { type RowFormat, readRows } from '@embedmill/core/formats';
import { type Request, Router } from 'express';
import { addPath, idOf } from '../http/add-path.ts';
import { readBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { abortOnDisconnect } from '../http/deadline.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { addRowsQuery } from './schemas.ts';

/** Row formats by media type. */
const FORMATS: Readonly<Record<string, RowFormat>> = {
  'application/x-ndjson': 'jsonl',
  'application/ndjson': 'jsonl',
  'application/jsonl': 'jsonl',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
};

/** `/v1/runs/:id/rows` and `/v1/runs/:id/parts`. */
export function rowRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();

  addPath(router, '/v1/runs/:id/rows', {
    post: async (req, res) => {
      const { part, textField, idField } = checkInput(addRowsQuery, 'query', req.query);
      const run = service.runs().get(idOf(req));
      const format = formatOf(req);
      const sha256 = createHash('sha256');
      const bytes = tap(
        readBody(req, { maxBytes: config.maxBodyBytes, stallMs: limits.bodyStallMs }),
        (chunk) => sha256.update(chunk),
      );
      const rows = readRows(bytes, { format, textField, idField, maxRowBytes: config.maxRowBytes });
      const duplicate = run.receiptOf(part) !== undefined;
      const receipt = await run.addPart({
        part,
        rows,
        sha256: () => sha256.digest('hex'),
        signal: abortOnDisconnect(res),
        maxWaitMs: isSmall(req, limits) ? limits.creditPatienceMs : undefined,
      });
      sendJson(res, duplicate ? 200 : 201, { ...receipt, duplicate });
    },
  });

  addPath(router, '/v1/runs/:id/parts', {
    get: (req, res) => {
      const { receipts } = service.runs().get(idOf(req));
      const parts = receipts.map(({ part, accepted, rejectedCount, sha256 }) => ({
        part,
        accepted,
        rejectedCount,
        sha256,
      }));
      sendJson(res, 200, { parts });
    },
  });
  return router;
}

function isSmall(req: Request, limits: RouteDeps['limits']): boolean {
  return Number(req.get('content-length') ?? Number.POSITIVE_INFINITY) <= limits.smallBodyBytes;
}

function formatOf(req: Request): RowFormat {
  const given = req.get('content-type') ?? '';
  const type = parseType(given);
  const format = type === undefined ? undefined : FORMATS[type.essence];
  if (format === undefined) {
    throw new RequestError(
      'unsupported-media-type',
      `the rows have Content-Type ${quote(given)}; expected ${Object.keys(FORMATS).join(', ')}`,
      { facts: { expected: Object.keys(FORMATS) } },
    );
  }
  const charset = type?.params.get('charset') ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset)) {
    throw new RequestError(
      'unsupported-media-type',
      `the rows have charset ${quote(charset)}; expected utf-8`,
    );
  }
  return format;
}

function parseType(given: string): MIMEType | undefined {
  try {
    return new MIMEType(given);
  } catch {
    return undefined;
  }
}

async function* tap(
  chunks: AsyncIterable<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    onChunk(chunk);
    yield chunk;
  }
}
