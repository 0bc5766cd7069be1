/** `embedmill load`: a file of vectors into a database. */

import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruptionSignal } from '../interruption.ts';
import { load } from '../load/load.ts';
import { openStore, readStoreUrl } from '../load/open.ts';
import { countingOn, displayFor } from '../progress/index.ts';
import { formatNoun } from '../terminal/numbers.ts';
import { openVectors } from '../vectors/open.ts';
import { examples, wholeNumber } from './options.ts';

const EXPLANATION = `
STORE is one of
  postgres://user:password@host/database   a table (id text, embedding vector)
                                           with pgvector and an HNSW index
  qdrant+http://host:6333, qdrant+https://:key@host
                                           a collection for cosines; the id is
                                           in the payload of each point
  folder/table.lance                       a table of LanceDB, with an index when
                                           it has 5 000 rows or more

Table or collection is made unless it is there. A row whose id is there already
is replaced: the same command again changes nothing, and continues what was
interrupted. Requests that fail for a passing reason are repeated.
`;

interface LoadFlags {
  to: string;
  table: string;
  batchRows: number;
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
    .summary('bring a file of vectors into a database')
    .description('Brings a file of vectors into a database.')
    .argument('<vectors>', 'vectors: .npy, .jsonl, .parquet, .arrow or .lance')
    .requiredOption('--to <store>', 'URL of the database, or a folder .lance')
    .option('--table <name>', 'table or collection', 'embedmill')
    .option('--batch-rows <rows>', 'rows of a request', wholeNumber(1), 500)
    .option('--json', 'print the figures as one JSON object')
    .option('--quiet', 'print no progress')
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill load reviews.npy --to postgres://me@localhost/shop --table reviews', 'pgvector'],
          ['embedmill load reviews.parquet --to qdrant+http://localhost:6333 --table reviews', 'Qdrant'],
          ['embedmill load reviews.npy --to reviews.lance', 'LanceDB'],
        ),
    )
    .action(async (vectors: string, flags: LoadFlags) => {
      await loadCommand(vectors, flags, context);
      end(EXIT.ok);
    });
}

async function loadCommand(vectors: string, flags: LoadFlags, context: CommandContext): Promise<void> {
  const url = readStoreUrl(flags.to);
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  try {
    const report = await load({
      file,
      open: (dim) => openStore({ url, table: flags.table, dim, signal }),
      batchRows: flags.batchRows,
      onRows: countingOn(display, file.rows),
      onRetry: (reason) => display.note(`${reason}; trying again`),
      signal,
    });
    display.end();
    const { rows, missing, store } = report;
    const left = missing === 0 ? '' : `; ${formatNoun(missing, 'row')} without a vector left out`;
    context.stdout.write(
      flags.json ? `${JSON.stringify(report)}\n` : `${formatNoun(rows, 'row')} in ${store}${left}\n`,
    );
  } finally {
    display.end();
  }
}
