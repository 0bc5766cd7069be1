/** `embedmill load`: a file of vectors into a database or a bucket. */

import { type Dtype, quote } from '@embedmill/contract';
import { type Command, Option } from 'commander';
import { openBucket } from '../../io/objects/s3.ts';
import { isObjectUrl, readObjectUrl } from '../../io/objects/url.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { VectorFile } from '../../io/vectors/types.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, wholeNumber } from '../../shell/options.ts';
import { countingOn, displayFor } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { type LoadReport, load } from './load.ts';
import { openStore, readStoreUrl } from './open.ts';
import type { Repetition } from './repeat.ts';
import { loadShards, SHARD_FORMATS, type ShardChoices } from './shards.ts';

const EXPLANATION = `
STORE is one of
  postgres://user:password@host/database   a table (id text, embedding vector)
                                           with pgvector and an HNSW index
  qdrant+http://host:6333, qdrant+https://:key@host
                                           a collection for cosines; the id is
                                           in the payload of each point
  folder/table.lance                       a table of LanceDB, with an index when
                                           it has 5 000 rows or more
  s3://bucket/folder                       shards part-00000.parquet, … and, when
                                           all are there, _manifest.json; for S3
                                           and stores that speak its API

Table or collection is made unless it is there. A row whose id is there already
is replaced: the same command again changes nothing, and continues what was
interrupted. Requests that fail for a passing reason are repeated.

Shards hold every row, null where one has no vector, and need --overwrite where
other shards are complete. Keys, region and endpoint of a bucket are those of
AWS's own variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL.
`;

/** Rows of a shard: 154 MB of vectors of 384 floats, which are held in memory. */
const SHARD_ROWS = 100_000;

/** Options that only a bucket has. */
const OF_SHARDS = ['shardRows', 'format', 'dtype', 'overwrite'] as const;

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
    .summary('bring a file of vectors into a database or a bucket')
    .description('Brings a file of vectors into a database or a bucket.')
    .argument('<vectors>', 'vectors: .npy, .jsonl, .parquet, .arrow or .lance')
    .requiredOption('--to <store>', 'URL of the database or bucket, or a folder .lance')
    .option('--table <name>', 'table or collection', 'embedmill')
    .option('--batch-rows <rows>', 'rows of a request', wholeNumber(1), 500)
    .option('--shard-rows <rows>', 'rows of a shard in a bucket (default: 100000)', wholeNumber(1))
    .addOption(new Option('--format <format>', 'of shards (default: parquet)').choices(SHARD_FORMATS))
    .addOption(
      new Option('--dtype <dtype>', 'what shards keep of a float (default: float32)').choices([
        'float32',
        'float16',
        'int8',
      ]),
    )
    .option('--overwrite', 'replace other shards that are complete')
    .option('--json', 'print the figures as one JSON object')
    .option('--quiet', 'print no progress')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill load reviews.npy --to postgres://me@localhost/shop --table reviews', 'pgvector'],
          ['embedmill load reviews.parquet --to qdrant+http://localhost:6333 --table reviews', 'Qdrant'],
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
  const bring = readTarget(flags, context);
  const file = await openVectors(vectors);
  try {
    const report = await bring(file, {
      onRows: countingOn(display, file.rows),
      onRetry: (reason) => display.note(`${reason}; trying again`),
      signal,
    });
    display.end();
    const { rows, missing, store } = report;
    const what = isObjectUrl(flags.to) ? 'kept as null' : 'left out';
    const left = missing === 0 ? '' : `; ${formatNoun(missing, 'row')} without a vector ${what}`;
    context.stdout.write(
      flags.json ? `${JSON.stringify(report)}\n` : `${formatNoun(rows, 'row')} in ${store}${left}\n`,
    );
  } finally {
    display.end();
  }
}

/** Brings a file to where `--to` says. */
type Bring = (
  file: VectorFile,
  watch: Repetition & { onRows: (rows: number) => void },
) => Promise<LoadReport>;

/** @throws {UsageError} before anything is opened */
function readTarget(flags: LoadFlags, { environment }: CommandContext): Bring {
  const { to, table, batchRows } = flags;
  if (!isObjectUrl(to)) {
    const url = readStoreUrl(to);
    const other = OF_SHARDS.find((name) => flags[name] !== undefined);
    if (other !== undefined) {
      const option = `--${other.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
      throw new UsageError(`${option} is for shards in a bucket, --to s3://…; ${quote(to, 200)} has none`);
    }
    return (file, watch) => {
      const open = (dim: number) => openStore({ url, table, dim, signal: watch.signal });
      return load({ file, open, batchRows, ...watch });
    };
  }
  const { bucket: name, key } = readObjectUrl(to);
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  const { format = 'parquet', dtype = 'float32', shardRows = SHARD_ROWS, overwrite = false } = flags;
  return async (file, watch) => {
    const bucket = await openBucket(name, { environment, signal: watch.signal });
    try {
      const choices = { format, dtype, shardRows };
      return await loadShards({ file, bucket, prefix, choices, overwrite, ...watch });
    } finally {
      bucket.close();
    }
  };
}
