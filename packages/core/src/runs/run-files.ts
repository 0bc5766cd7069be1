/** The files of one run: its folder, ledger, row log, shards and glossary. */

import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CorruptError, type RunOptions } from '@embedmill/contract';
import type { AppendedFileDeps } from '../process/disk/appended-file.ts';
import { removeLeftovers } from '../process/disk/remove-leftovers.ts';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { writeSynced } from '../process/disk/write-synced.ts';
import { formatRecord } from './journal.ts';
import { Ledger, type LedgerBatch, type LedgerEntry } from './ledger.ts';
import { RowLog } from './row-log.ts';
import { listShards, type ShardEntry } from './shards/shard.ts';
import { ShardIndex } from './shards/shard-index.ts';
import { AnalysisFiles } from './stored-analysis.ts';

/** Prefix of a folder whose run is being created; after a crash, the next start removes it. */
export const DRAFT_PREFIX = '.draft-';

export const LEDGER_FILE = 'ledger.journal';
export const ROWS_FILE = 'rows.jsonl';
export const SHARDS_FOLDER = 'shards';
/** Content of the run's glossary, if it has one. */
export const GLOSSARY_FILE = 'glossary.json';

/** What a run starts with. */
export interface NewRun {
  id: string;
  options: RunOptions;
  /** Name that its creator gives the request (`Idempotency-Key`). */
  requestKey?: string | undefined;
  /** Content of the glossary whose id is in the options. */
  glossary?: Uint8Array | undefined;
  /** Days for which the run is kept after its end. Default: the setting of the producer. */
  keepDays?: number | undefined;
}

/**
 * Layout of the folder: `ledger.journal` (what happened), `rows.jsonl` (texts), `shards/` (vectors), if
 * the run has a glossary, `glossary.json`, and what an analysis found (`stored-analysis.ts`). The ledger is the authority: bytes of the row log that it does not
 * mention do not exist.
 */
export class RunFiles {
  readonly ledger: Ledger;
  readonly rowLog: RowLog;
  readonly shards: ShardIndex;
  readonly analysis: AnalysisFiles;
  readonly #folder: string;
  readonly #glossaryBytes: number;

  private constructor(
    folder: string,
    { ledger, rowLog, shards, analysis }: Pick<RunFiles, 'ledger' | 'rowLog' | 'shards' | 'analysis'>,
    glossaryBytes: number,
  ) {
    this.#folder = folder;
    this.#glossaryBytes = glossaryBytes;
    this.ledger = ledger;
    this.rowLog = rowLog;
    this.shards = shards;
    this.analysis = analysis;
  }

  /**
   * Creates the folder and its files. When it resolves, they survive a power cut; after a failure nothing is left. The
   * folder appears complete, by rename: a crash leaves a draft, which the next start removes.
   */
  static async create(
    folder: string,
    { id, options, requestKey, glossary, keepDays }: NewRun,
    deps: AppendedFileDeps,
  ): Promise<RunFiles> {
    const draft = join(dirname(folder), `${DRAFT_PREFIX}${id}`);
    const created: LedgerEntry = {
      type: 'created',
      id,
      at: Date.now(),
      options,
      ...(requestKey === undefined ? {} : { requestKey }),
      ...(keepDays === undefined ? {} : { keepDays }),
    };
    deps.assertWritable();
    try {
      await mkdir(draft, { mode: 0o700 });
      await mkdir(join(draft, SHARDS_FOLDER), { mode: 0o700 });
      if (glossary !== undefined) await writeSynced(join(draft, GLOSSARY_FILE), glossary);
      await writeSynced(join(draft, ROWS_FILE), Buffer.alloc(0));
      await writeSynced(join(draft, LEDGER_FILE), Buffer.from(formatRecord(created)));
      // Syncs the names of the files, then that of the folder; the content of each file is synced when it is written.
      await syncFolder(draft);
      deps.assertWritable();
      await rename(draft, folder);
      await syncFolder(dirname(folder));
      return await RunFiles.open(folder, deps);
    } catch (error) {
      await removeLeftovers([draft, folder], deps);
      throw error;
    }
  }

  /**
   * Opens the files in this folder; nothing is written.
   * @throws {CorruptError} when a file is damaged or missing
   */
  static async open(folder: string, deps: AppendedFileDeps): Promise<RunFiles> {
    const ledger = await Ledger.open(join(folder, LEDGER_FILE), deps).catch((error) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new CorruptError('corrupt-journal', `${join(folder, LEDGER_FILE)} is missing`, { cause: error });
    });
    const belongs = (entry: ShardEntry) => isOfBatch(entry, ledger.batches[entry.batch]);
    const shards = await ShardIndex.open(join(folder, SHARDS_FOLDER), belongs, deps);
    const rowLog = await RowLog.open(join(folder, ROWS_FILE), ledger.rowBytes, deps);
    const glossaryBytes =
      (ledger.created.options.glossary ?? null) === null
        ? 0
        : await stat(join(folder, GLOSSARY_FILE)).then(
            ({ size }) => size,
            () => 0,
          );
    const analysis = await AnalysisFiles.open(folder, deps);
    return new RunFiles(folder, { ledger, rowLog, shards, analysis }, glossaryBytes);
  }

  /** Size of all files of the run. */
  get bytes(): number {
    return (
      this.ledger.bytes + this.rowLog.bytes + this.shards.bytes + this.analysis.bytes + this.#glossaryBytes
    );
  }

  /**
   * Files of the run as they are now, with paths on disk and names relative to the folder. They only grow: the first `bytes`
   * bytes of each one are the run at this moment. Those of the analysis may be replaced, and have their content here.
   */
  async list(): Promise<{ name: string; path: string; bytes: number; content?: Uint8Array }[]> {
    const { shards } = await listShards(join(this.#folder, SHARDS_FOLDER));
    const sized = async (name: string, bytes?: number) => {
      const path = join(this.#folder, name);
      return { name, path, bytes: bytes ?? (await stat(path)).size };
    };
    return [
      await sized(LEDGER_FILE, this.ledger.bytes),
      await sized(ROWS_FILE, this.rowLog.bytes),
      ...((this.ledger.created.options.glossary ?? null) === null ? [] : [await sized(GLOSSARY_FILE)]),
      ...(await this.analysis.contents()).map((file) => ({ ...file, bytes: file.content.byteLength })),
      ...(await Promise.all(shards.map((shard) => sized(`${SHARDS_FOLDER}/${shard}`)))),
    ];
  }

  /** Content of the run's glossary. */
  readGlossary(): Promise<Uint8Array> {
    return readFile(join(this.#folder, GLOSSARY_FILE));
  }

  async close(): Promise<void> {
    await this.ledger.close();
    await this.rowLog.close();
  }
}

/**
 * Whether a result in a shard is of this batch. Shards and ledgers written before 0.2 have no digests to compare; a batch
 * that a later version wrote is never in a shard without one.
 */
export function isOfBatch(entry: ShardEntry, batch: LedgerBatch | undefined): boolean {
  if (batch === undefined || entry.summary.rows !== batch.rows) return false;
  return entry.digest === undefined ? batch.payloadDigest === undefined : entry.digest === batch.digest;
}

/**
 * Whether a folder is what a crash in the creation of a run leaves: no rows, no shards, no record in the ledger. Versions
 * before 0.2 created the run's folder under its final name; the row log and the folder of shards came after the ledger.
 */
export async function isUnfinishedRun(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  if (names.some((name) => name !== LEDGER_FILE && name !== GLOSSARY_FILE)) return false;
  const ledger = await readFile(join(folder, LEDGER_FILE)).catch(() => Buffer.alloc(0));
  return !ledger.includes(0x0a);
}
