/** Routes that receive the rows of a run, part by part, and list the complete parts. */

import { createHash } from 'node:crypto';
import { MIMEType } from 'node:util';
import { quote, RequestError } from '@embedmill/contract';
import { charsetNamed, type RowFormat, readRows } from '@embedmill/core/formats';
import { type ColumnsRow, GROUP_BYTES, keepColumns, MAX_BATCH_BYTES } from '@embedmill/core/runs';
import { type Request, Router } from 'express';
import { addPath, idOf } from '../http/add-path.ts';
import { readBody } from '../http/body.ts';
import { checkInput } from '../http/check-input.ts';
import { abortOnDisconnect } from '../http/deadline.ts';
import { type MemoryShare, SMALL_SHARE_BYTES, shareOf } from '../http/memory-budget.ts';
import { sendJson } from '../http/send.ts';
import type { RouteDeps } from '../http/types.ts';
import { heldRun } from './downloads.ts';
import { addRowsQuery, partPath } from './schemas.ts';

/** Row formats by media type. */
const FORMATS: Readonly<Record<string, RowFormat>> = {
  'application/x-ndjson': 'jsonl',
  'application/ndjson': 'jsonl',
  'application/jsonl': 'jsonl',
  'application/json': 'json',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
};

/** `/v1/runs/:id/rows` and `/v1/runs/:id/parts`. */
export function rowRoutes({ service, config, limits }: RouteDeps): Router {
  const router = Router();

  addPath(router, '/v1/runs/:id/rows', {
    post: async (req, res) => {
      const { part, charset, badRows, columns, ...fields } = checkInput(addRowsQuery, 'query', req.query);
      const run = await heldRun(service.runs(), req, res);
      const format = formatOf(req);
      const sha256 = createHash('sha256');
      const memory = new UploadMemory(shareOf(req), {
        isStream: !isSmall(req, limits),
        maxBytes: Math.min(GROUP_BYTES + MAX_BATCH_BYTES + config.maxRowBytes, plainBytes(req)),
      });
      const bytes = tap(
        readBody(req, { maxBytes: config.maxBodyBytes, stallMs: limits.bodyStallMs }),
        async (chunk) => {
          sha256.update(chunk);
          await memory.read(chunk.byteLength);
        },
      );
      const options = {
        ...fields,
        format,
        maxRowBytes: config.maxRowBytes,
        keepFields: columns !== undefined,
        charset: charset === undefined ? undefined : charsetNamed(charset),
      };
      const read = tap(readRows(bytes, options), () => memory.parsed());
      const withColumns = columns === undefined ? read : keepColumns(read, { ...fields, columns });
      const rows = badRows === 'keep' ? keepBadRows(withColumns) : withColumns;
      const duplicate = run.receiptOf(part) !== undefined;
      const receipt = await run.addPart({
        part,
        rows,
        sha256: () => sha256.digest('hex'),
        signal: abortOnDisconnect(res),
        maxWaitMs: isSmall(req, limits) ? limits.creditPatienceMs : undefined,
        onHeld: (held) => memory.hold(held),
      });
      sendJson(res, duplicate ? 200 : 201, { ...receipt, duplicate });
    },
  });

  addPath(router, '/v1/runs/:id/parts', {
    get: async (req, res) => {
      const { receipts } = await heldRun(service.runs(), req, res);
      const parts = receipts.map(({ part, accepted, rejectedCount, sha256 }) => ({
        part,
        accepted,
        rejectedCount,
        sha256,
      }));
      sendJson(res, 200, { parts });
    },
  });

  addPath(router, '/v1/runs/:id/parts/:part', {
    delete: async (req, res) => {
      const { part } = checkInput(partPath, 'query', { part: req.params.part });
      await service.runs().get(idOf(req)).dropPart(part);
      res.status(204).end();
    },
  });
  return router;
}

/** Length of the body; unlimited if it is unknown or compressed. */
function plainBytes(req: Request): number {
  const isPlain = req.get('content-encoding') === undefined;
  return isPlain ? Number(req.get('content-length') ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
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

async function* tap<Chunk>(
  chunks: AsyncIterable<Chunk>,
  onChunk: (chunk: Chunk) => Promise<void> | void,
): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    await onChunk(chunk);
    yield chunk;
  }
}

/** Memory of an upload besides its rows: blocks of the reader, decompression, the connection. */
const UPLOAD_BASE_BYTES = 128 * 1024;
/** Memory of a row until it is in Redis, as a multiple of its bytes: the line, the text, row log and payload. */
const ROW_COPIES = 5;

/** Keeps the memory share of an upload as large as what has been read and not yet written. */
class UploadMemory {
  readonly #share: MemoryShare;
  readonly #options: { isStream: boolean; maxBytes: number };
  /** Bytes of the unfinished record of the reader. */
  #unparsed = 0;
  /** Bytes of the texts that wait for their batch. */
  #held = 0;

  /** @param options with `maxBytes`, the maximum bytes that are read and not yet written */
  constructor(share: MemoryShare, options: { isStream: boolean; maxBytes: number }) {
    this.#share = share;
    this.#options = options;
  }

  /** Called for each chunk of the body. */
  async read(bytes: number): Promise<void> {
    this.#unparsed += bytes;
    await this.#resize();
  }

  /** A record has ended, so what is left of the next one is less than a block. */
  parsed(): void {
    this.#held += this.#unparsed;
    this.#unparsed = 0;
  }

  /** Called after the rows of each block. */
  async hold(bytes: number): Promise<void> {
    this.#held = bytes;
    await this.#resize();
  }

  async #resize(): Promise<void> {
    const { isStream, maxBytes } = this.#options;
    const bytes = UPLOAD_BASE_BYTES + ROW_COPIES * (this.#unparsed + this.#held);
    const isSmall = bytes <= SMALL_SHARE_BYTES;
    await this.#share.resize(isSmall ? bytes : UPLOAD_BASE_BYTES + ROW_COPIES * maxBytes, { isStream });
  }
}

/** Rows in which a record that is not a row keeps its place, so that its verdict is `failed`. */
async function* keepBadRows(blocks: AsyncIterable<ColumnsRow[]>): AsyncGenerator<ColumnsRow[]> {
  for await (const rows of blocks) {
    yield rows.map((row) => (row.ok ? row : { ...row, keepsPlace: true }));
  }
}
