/** `embedmill embed`: embeds a text file into a vector file. */

import { relative } from 'node:path';
import { readConfig } from '@embedmill/core/process';
import { type Command, Option } from 'commander';
import { rowsWithoutVector } from '../../engine/run/fetch.ts';
import { isObjectUrl } from '../../io/objects/url.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, exitCodeOf, Interrupted } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import {
  defaultFrom,
  engineOption,
  examples,
  modelOption,
  percentage,
  precisionOption,
  pullOption,
  textsOptions,
  threadsOption,
  wholeNumber,
} from '../../shell/options.ts';
import { displayFor } from '../../shell/progress/index.ts';
import { paintFor } from '../../shell/terminal/style.ts';
import { treatmentOptions } from '../../shell/treatment-options.ts';
import { embedFile } from './embed.ts';
import { type EmbedFileRequest, type EmbedFlags, readRequest } from './request.ts';
import { describeSummary } from './summary.ts';

const EXPLANATION = `
INPUT is Parquet, Arrow or Feather, JSON lines, a JSON array, CSV, TSV or text
(one text per line), plain or packed by gzip, zstd, bzip2 or xz. Its name and
first records decide how it is read ("embedmill inspect" shows it); options
overrule that. Several files, a folder or a glob are one dataset.

INPUT is also https://…, an object, prefix or glob in a bucket (s3://…), a
LanceDB table (.lance), or with --query a database: duckdb:FILE, sqlite:FILE
or postgres://… (see docs/inputs.md).

OUTPUT is .npy (ids in a second file), .jsonl, .parquet or .arrow, optionally
in a bucket (s3://…), or a LanceDB table (.lance). It has one row per input
row, in the same order, and appears once it is complete. Columns of INPUT keep
their types; one called "vector" becomes "vector_1".

Rows without vectors (empty text, invalid JSON) are listed in
OUTPUT.report.jsonl. In OUTPUT they are null, in .npy zeros; .lance omits them.

With --append, vectors of texts that OUTPUT has are copied. OUTPUT is replaced
by a complete new file: the rows of INPUT in its order, then removed rows.

After an interruption, run the same command again to resume.

Exit codes: 0 every row has a vector, 3 some rows have none, 2 usage error,
130 interrupted, 1 any other error.
`;

/** Adds the command; `end` receives its exit code. */
export function addEmbedCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const { environment } = context;
  const command = program
    .command('embed')
    .summary('embed a text file or table')
    .description('Embed the rows of a text file or table into a vector file.')
    .argument('<input...>', 'files, folders, globs, URLs or a database; or - for stdin')
    .requiredOption('--to <output>', 'vector file: .npy, .jsonl, .parquet, .arrow or .lance; or s3://…');
  for (const option of textsOptions()) command.addOption(option);
  command
    .option('--limit <rows>', 'maximum rows to read', wholeNumber(1))
    .addOption(
      new Option('--dtype <dtype>', 'number type of the stored vectors (int8 adds one scale per row)')
        .choices(['float32', 'float16', 'int8'])
        .default('float32'),
    )
    .addOption(
      new Option('--encoding <encoding>', 'encoding of vectors in .jsonl')
        .choices(['float', 'base64'])
        .default('float'),
    )
    .option('--columns <names>', 'columns of INPUT to copy: names with commas, all or none', 'all')
    .option('--file-column <name>', 'add a column with the name of the file of each row')
    .option('--dimensions <n>', 'numbers to keep of each vector, renormalized', wholeNumber(1))
    .addOption(precisionOption())
    .addOption(
      new Option('--truncate <side>', 'which end of an over-long text to cut, or error to fail the row')
        .choices(['end', 'start', 'error'])
        .default('end'),
    );
  for (const option of treatmentOptions()) command.addOption(option);
  command
    .addOption(modelOption(environment))
    .addOption(pullOption())
    .option('--server <urls>', 'URL of a running producer, or of several with commas (default: start one)')
    .addOption(threadsOption(environment))
    .addOption(engineOption(environment))
    .option(
      '--batch-rows <rows>',
      `maximum rows per batch ${defaultFrom(environment, 'EMBEDMILL_BATCH_ROWS', 'as many as take about 0.5 s')}`,
      wholeNumber(1),
    )
    .option(
      '--shard-rows <rows>',
      'rows per file: OUTPUT becomes NAME-00000-of-00005.parquet and so on',
      wholeNumber(1),
    )
    .option('--append', 'embed only the texts that an existing OUTPUT does not have')
    .addOption(
      new Option(
        '--removed <choice>',
        'with --append: rows whose ids INPUT no longer has (default: keep)',
      ).choices(['keep', 'drop']),
    )
    .option(
      '--max-unknown <percent>',
      'stop if more of the tokens are unknown to the model (0 to 100)',
      percentage,
    )
    .option('--overwrite', 'overwrite OUTPUT and discard any unfinished attempt')
    .option('--quiet', 'print errors only')
    .option('--json', 'print a summary as one JSON object')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill embed reviews.jsonl.gz --to reviews.npy', 'a NumPy matrix and reviews.ids.jsonl'],
          ['embedmill embed shop.csv --text body --id sku --to shop.parquet', 'columns named otherwise'],
          ["embedmill embed 'shards/*.csv.zst' --to all.npy", 'several files as one dataset'],
          ['embedmill embed grown.jsonl --to v.parquet --append', 'only what is new'],
          ['embedmill embed big.csv --to v.parquet --shard-rows 1000000', 'v-00000-of-00012.parquet …'],
          ['zcat *.txt.gz | embedmill embed - --format txt --to all.jsonl', 'from a pipe'],
          ['embedmill embed r.parquet --text review.body --to v.parquet', 'nested text, all columns'],
          ['embedmill embed zh.jsonl --to zh.npy --model multilingual', 'a model of the catalogue'],
          ['embedmill embed big.jsonl --to big.npy --server http://mill:8080', 'on a fleet of workers'],
          ['embedmill embed huge.csv --to v.parquet --server http://a:8080,http://b:8080', 'on two fleets'],
          ["embedmill embed 's3://shop/in/*.parquet' --to v.parquet", 'from a bucket'],
          ['embedmill embed shop.db --query "SELECT …" --to v.parquet', 'the result of a query'],
          ['embedmill embed in.csv --to s3://shop/in.parquet --dtype float16', 'float16, into a bucket'],
        ),
    )
    .action(async (input: string[], flags: EmbedFlags) => {
      const request = readRequest(input, flags, readConfig(environment));
      end(await embedCommand(request, context));
    });
}

async function embedCommand(request: EmbedFileRequest, context: CommandContext): Promise<ExitCode> {
  const { stdout, stderr, environment } = context;
  const paint = paintFor(stderr, environment);
  const display = displayFor(context, request.quiet);
  const signal = interruptionSignal(() =>
    display.note('Stopping; progress is kept. Press Ctrl-C again to stop at once.'),
  );
  try {
    const { summary, files } = await embedFile(request, { context, display, signal });
    if (!request.quiet) {
      const abbreviate = (name: string) => (isObjectUrl(name) ? name : relative(process.cwd(), name));
      const lines = describeSummary(summary, files.vectors.bytes, paint, abbreviate);
      stderr.write(`${lines.join('\n')}\n`);
    }
    if (request.json) stdout.write(`${JSON.stringify(summary)}\n`);
    return rowsWithoutVector(summary) === 0 ? EXIT.ok : EXIT.rowsWithoutVector;
  } catch (error) {
    display.end();
    if (!(error instanceof Interrupted)) throw error;
    const runs = request.server?.includes(',') ? 'runs continue' : 'run continues';
    const where = request.server === null ? '' : ` The ${runs} on ${request.server}.`;
    if (!request.quiet) stderr.write(`Stopped.${where} Run the same command again to resume.\n`);
    return exitCodeOf(error);
  }
}
