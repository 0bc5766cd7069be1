/** `embedmill load`: loads a vector file into a database or a bucket. */

import { fileURLToPath } from 'node:url';
import { type Dtype, quote } from '@embedmill/contract';
import { type Command, Option } from 'commander';
import { outputColumns } from '../../io/columns/join.ts';
import { ColumnSpool } from '../../io/columns/spool.ts';
import { openBucket } from '../../io/objects/s3.ts';
import { isObjectUrl, readObjectUrl } from '../../io/objects/url.ts';
import { type LoadReport, loadIntoStore } from '../../io/stores/load.ts';
import { openStore, readStoreUrl } from '../../io/stores/open.ts';
import type { RetryDeps } from '../../io/stores/retry.ts';
import { toFieldsRows } from '../../io/vectors/columns.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { VectorFile } from '../../io/vectors/types.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, VECTORS_ARGUMENT, wholeNumber } from '../../shell/options.ts';
import { countRows, displayFor } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { loadShards, SHARD_FORMATS, type ShardChoices } from './shards.ts';

const EXPLANATION = `
STORE is one of
  postgres://user:password@host/database   a table (id text, embedding vector)
                                           with pgvector and an HNSW index
  qdrant+http://host:6333, qdrant+https://:key@host
                                           a collection with cosine distance;
                                           ids are in the payload of the points
  folder/table.lance                       a LanceDB table with the columns of
                                           the input that VECTORS has, and with
                                           an index from 5,000 rows
  s3://bucket/folder                       shards part-00000.parquet, … and,
                                           once complete, _manifest.json; S3 and
                                           compatible stores

The table or collection is created if needed. Rows with existing ids are
replaced, so the same command can be repeated, and resumes after an
interruption. Requests that fail temporarily are retried.

Shards contain all rows, with null for missing vectors. --overwrite is needed to
replace a complete set of other shards. Credentials, region and endpoint of a
bucket come from the AWS variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.
`;

/** Default rows per shard: 154 MB of vectors of 384 floats, which are held in memory. */
const DEFAULT_SHARD_ROWS = 100_000;

/** Options that apply only to buckets. */
const SHARD_FLAGS = ['shardRows', 'format', 'dtype', 'overwrite'] as const;

interface LoadFlags {
  to: string;
  table: string;
  batchRows: number;
  shardRows?: number;
  format?: ShardChoices['format'];
  dtype?: Dtype;
  overwrite?: true;
  json?: true;
  quiet?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addLoadCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  program
    .command('load')
    .summary('load vectors into a database or bucket')
    .description('Load a vector file into a database or a bucket.')
    .argument(...VECTORS_ARGUMENT)
    .requiredOption('--to <store>', 'URL of a database or bucket, or a .lance folder')
    .option('--table <name>', 'name of the table or collection', 'embedmill')
    .option('--batch-rows <rows>', 'maximum rows per request', wholeNumber(1), 500)
    .option('--shard-rows <rows>', `rows per shard (default: ${DEFAULT_SHARD_ROWS})`, wholeNumber(1))
    .addOption(new Option('--format <format>', 'format of shards (default: parquet)').choices(SHARD_FORMATS))
    .addOption(
      new Option('--dtype <dtype>', 'number type of vectors in shards (default: float32)').choices([
        'float32',
        'float16',
        'int8',
      ]),
    )
    .option('--overwrite', 'replace a complete set of other shards')
    .option('--json', 'print the figures as one JSON object')
    .option('--quiet', 'print no progress')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill load reviews.npy --to postgres://me@localhost/shop --table reviews', 'pgvector'],
          ['embedmill load shop.parquet --to qdrant+http://localhost:6333 --table reviews', 'Qdrant'],
          ['embedmill load reviews.npy --to reviews.lance', 'LanceDB'],
          ['embedmill load reviews.npy --to s3://shop/reviews --dtype float16', 'shards in a bucket'],
        ),
    )
    .action(async (vectors: string, flags: LoadFlags) => {
      await loadCommand(vectors, flags, context);
      end(EXIT.ok);
    });
}

async function loadCommand(vectors: string, flags: LoadFlags, context: CommandContext): Promise<void> {
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const load = readTarget(flags, context);
  const file = await openVectors(vectors);
  try {
    const report = await load(file, {
      onRows: countRows(display, file.rows),
      onRetry: (reason) => display.note(`${reason}; retrying`),
      onNote: (text) => display.note(text),
      signal,
    });
    display.end();
    const { rows, missing, store } = report;
    const what = isObjectUrl(flags.to) ? 'stored as null' : 'skipped';
    const left = missing === 0 ? '' : `; ${formatNoun(missing, 'row')} without a vector ${what}`;
    context.stdout.write(
      flags.json ? `${JSON.stringify(report)}\n` : `${formatNoun(rows, 'row')} in ${store}${left}\n`,
    );
  } finally {
    display.end();
  }
}

/** Loads a file into the target of `--to`. */
type LoadFile = (
  file: VectorFile,
  deps: RetryDeps & { onRows: (rows: number) => void; onNote: (text: string) => void },
) => Promise<LoadReport>;

/** Validates the options before anything is opened. @throws {UsageError} */
function readTarget(flags: LoadFlags, { environment }: CommandContext): LoadFile {
  const { to, table, batchRows } = flags;
  if (!isObjectUrl(to)) {
    const url = readStoreUrl(to);
    const other = SHARD_FLAGS.find((name) => flags[name] !== undefined);
    if (other !== undefined) {
      const option = `--${other.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
      throw new UsageError(`${option} requires a bucket, --to s3://…; ${quote(to, 200)} has no shards`);
    }
    return async (file, deps) => {
      const { onNote, signal } = deps;
      const spool = url.protocol === 'file:' ? ColumnSpool.beside(fileURLToPath(url)) : null;
      try {
        await spool?.recordAll(toFieldsRows(file.readColumns()), signal);
        const columns = outputColumns(spool?.columns ?? [], { idField: 'id', taken: ['id', 'vector'] });
        const open = (dim: number) => openStore({ url, table, dim, columns, onNote, signal });
        const given = spool === null || columns.length === 0 ? null : { spool, columns };
        return await loadIntoStore({ file, columns: given, open, batchRows, ...deps });
      } finally {
        await spool?.delete();
      }
    };
  }
  const { bucket: name, key } = readObjectUrl(to);
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  const { format = 'parquet', dtype = 'float32', shardRows = DEFAULT_SHARD_ROWS, overwrite = false } = flags;
  return async (file, deps) => {
    const bucket = await openBucket(name, { environment, signal: deps.signal });
    try {
      const choices = { format, dtype, shardRows };
      return await loadShards({ file, bucket, prefix, choices, overwrite, ...deps });
    } finally {
      bucket.close();
    }
  };
}
