/** `embedmill map`: draws a map of a vector file. */

import { stat, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { quote } from '@embedmill/contract';
import { readConfig } from '@embedmill/core/process';
import type { Command } from 'commander';
import { replaceFile } from '../../io/output/replace-file.ts';
import { noTextsFound } from '../../io/texts/read-texts.ts';
import { findTextsOfVectors, hasTexts, type StoredTextsFlags } from '../../io/texts/stored-texts.ts';
import { loadVectors } from '../../io/vectors/load.ts';
import { openVectors } from '../../io/vectors/open.ts';
import type { CommandContext } from '../../shell/context.ts';
import { EXIT, type ExitCode, UsageError } from '../../shell/exit-codes.ts';
import { interruptionSignal } from '../../shell/interruption.ts';
import { examples, repeatable, textsOptions, VECTORS_ARGUMENT, wholeNumber } from '../../shell/options.ts';
import { checkOutputPath } from '../../shell/output-path.ts';
import { countRows, displayFor } from '../../shell/progress/index.ts';
import { formatBytes, formatNoun } from '../../shell/terminal/numbers.ts';
import { topicsOption } from '../cluster/topics-option.ts';
import { type ComputedMap, computeMap } from './compute.ts';

const EXPLANATION = `
Places rows with similar vectors near each other (UMAP), and names their topics
by key terms as "cluster" does. The same rows and options give the same map.

OUTPUT is one of
  map.html     one page to open or send: zoom, search, lasso and topics. It
               needs no server and no network. Of more than 200,000 rows it has
               every second, third, …, and of a text 300 characters
  map.png      a picture
  map.parquet, map.csv
               id, x, y, topic (0 is the largest), topic_name and, if there are
               texts, text; 99 % of the rows are within 1 of x = 0, y = 0

Texts are those of --texts, or else of the column "text" of VECTORS (--text
names another one). Without texts, points have their id, and topics a number.

Of more than 50,000 different rows, 50,000 are placed by UMAP and the others
beside the nearest of those. All vectors are held in memory: 1.5 GB for a
million vectors of 384 floats.
`;

const EXTENSIONS = ['.html', '.png', '.parquet', '.csv'];

interface MapFlags extends StoredTextsFlags {
  to: string[];
  title?: string;
  k: number | null;
  seed: number;
  quiet?: true;
}

/** Adds the command; `end` receives its exit code. */
export function addMapCommand(
  program: Command,
  context: CommandContext,
  end: (code: ExitCode) => void,
): void {
  const command = program
    .command('map')
    .summary('draw a map of the rows')
    .description('Draw a map of a vector file.')
    .argument(...VECTORS_ARGUMENT)
    .addOption(
      repeatable('--to <output>', 'output file, may be repeated: .html, .png, .parquet or .csv', 'none'),
    )
    .option('--title <text>', 'title of the page (default: name of the vector file)')
    .addOption(topicsOption())
    .option('--seed <n>', 'random seed', wholeNumber(0), 1)
    .option('--texts <file>', 'the embedded text file, for texts and key terms')
    .option('--quiet', 'print no progress');
  for (const option of textsOptions()) command.addOption(option);
  command
    .addHelpText(
      'after',
      EXPLANATION +
        examples(
          ['embedmill map reviews.parquet --to map.html', 'a page to open in a browser'],
          [
            'embedmill map reviews.npy --to map.html --to map.png --texts reviews.jsonl.gz',
            'a page and a picture',
          ],
          ['embedmill map reviews.parquet --to map.csv --k 40', 'places and 40 topics, for programs'],
        ),
    )
    .action(async (vectors: string, flags: MapFlags) => {
      await mapCommand(vectors, flags, context);
      end(EXIT.ok);
    });
}

async function mapCommand(vectors: string, flags: MapFlags, context: CommandContext): Promise<void> {
  if (flags.to.length === 0) throw new UsageError('no output given; name one with --to map.html');
  for (const path of flags.to) checkOutputPath(path, EXTENSIONS);
  const config = readConfig(context.environment);
  const signal = interruptionSignal(() => {});
  const display = displayFor(context, flags.quiet ?? false);
  const file = await openVectors(vectors);
  const deps = { config, stdin: context.stdin, environment: context.environment, signal };
  try {
    const findText = (await hasTexts(file, flags)) ? await findTextsOfVectors(file, flags, deps, null) : null;
    const loaded = await loadVectors(file, { onRows: countRows(display, file.rows), signal });
    const { matrix, ids, numbers, missing } = loaded;
    const texts = findText === null ? null : ids.map((id, row) => findText({ row: numbers[row]!, id }) ?? '');
    const show = countRows(display, matrix.rows);
    const map = await computeMap(loaded, texts, {
      topics: flags.k,
      seed: flags.seed,
      onShare: (share) => show(Math.floor(share * matrix.rows)),
      signal,
    });
    display.end();
    if (texts === null) {
      display.note(`${quote(file.name, 200)} has no texts; topics have names with --texts FILE`);
    } else if (flags.texts !== undefined && texts.every((text) => text === '')) {
      display.note(noTextsFound(flags.texts, ids));
    }
    for (const path of flags.to) {
      const bytes = await writeMap(path, map, flags.title ?? basename(vectors));
      context.stdout.write(
        `${path}: ${formatNoun(matrix.rows, 'row')} in ${formatNoun(map.topics.length, 'topic')}, ${formatBytes(bytes)}\n`,
      );
    }
    if (missing > 0) display.note(`${formatNoun(missing, 'row')} without a vector left out`);
  } finally {
    display.end();
  }
}

/** Writes an output in the format of its extension; it appears once it is complete. Returns its size in bytes. */
async function writeMap(path: string, map: ComputedMap, title: string): Promise<number> {
  const extension = extname(path).toLowerCase();
  if (extension === '.csv') {
    const { writeMapCsv } = await import('./table.ts');
    await writeMapCsv(path, map);
    return (await stat(path)).size;
  }
  const bytes = await bytesOf(extension, map, title);
  await replaceFile(path, (draft) => writeFile(draft, bytes));
  return bytes.length;
}

async function bytesOf(extension: string, map: ComputedMap, title: string): Promise<Uint8Array> {
  if (extension === '.html') return Buffer.from(await (await import('./page.ts')).makePage(map, title));
  if (extension === '.png') return (await import('./picture.ts')).drawPicture(map);
  return (await import('./table.ts')).mapParquet(map);
}
