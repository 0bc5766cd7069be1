/** The files of one run: its folder, ledger, row log, shards and glossary. */

import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunOptions } from '@embedmill/contract';
import { syncFolder } from '../process/disk/sync-folder.ts';
import { Ledger } from './ledger.ts';
import { RowLog } from './row-log.ts';
import { ShardIndex } from './shards/shard-index.ts';

const LEDGER_FILE = 'ledger.journal';
const ROWS_FILE = 'rows.jsonl';
const SHARDS_FOLDER = 'shards';
/** Content of the run's glossary, if it has one. */
const GLOSSARY_FILE = 'glossary.json';

/** What a run starts with. */
export interface NewRun {
  id: string;
  options: RunOptions;
  /** Name that its creator gives the request (`Idempotency-Key`). */
  requestKey?: string | undefined;
  /** Content of the glossary whose id is in the options. */
  glossary?: Uint8Array | undefined;
}

/**
 * Layout of the folder: `ledger.journal` (what happened), `rows.jsonl` (texts), `shards/` (vectors) and, if
 * the run has a glossary, `glossary.json`. The ledger is the authority: bytes of the row log that it does not
 * mention do not exist.
 */
export class RunFiles {
  readonly ledger: Ledger;
  readonly rowLog: RowLog;
  readonly shards: ShardIndex;
  readonly #folder: string;

  private constructor(folder: string, ledger: Ledger, rowLog: RowLog, shards: ShardIndex) {
    this.#folder = folder;
    this.ledger = ledger;
    this.rowLog = rowLog;
    this.shards = shards;
  }

  /** Creates the folder and its files. When it resolves, they survive a power cut. */
  static async create(folder: string, { id, options, requestKey, glossary }: NewRun): Promise<RunFiles> {
    await mkdir(folder, { mode: 0o700 });
    if (glossary !== undefined) await writeSynced(join(folder, GLOSSARY_FILE), glossary);
    const ledger = await Ledger.create(join(folder, LEDGER_FILE), {
      type: 'created',
      id,
      at: Date.now(),
      options,
      ...(requestKey === undefined ? {} : { requestKey }),
    });
    const files = await RunFiles.#openRest(folder, ledger);
    // Syncs the names of the files and of the folder; the content of each file is synced when it is written.
    await syncFolder(folder);
    await syncFolder(dirname(folder));
    return files;
  }

  /**
   * Opens the files in this folder.
   * @throws {EmbedmillError} `no-ledger` when the process died while it created the run
   * @throws {CorruptError} when a file is damaged
   */
  static async open(folder: string): Promise<RunFiles> {
    return await RunFiles.#openRest(folder, await Ledger.open(join(folder, LEDGER_FILE)));
  }

  static async #openRest(folder: string, ledger: Ledger): Promise<RunFiles> {
    try {
      const shards = await ShardIndex.open(join(folder, SHARDS_FOLDER));
      const rowLog = await RowLog.open(join(folder, ROWS_FILE), ledger.rowBytes);
      return new RunFiles(folder, ledger, rowLog, shards);
    } catch (error) {
      await ledger.close();
      throw error;
    }
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

/** Writes a file and syncs its content; the caller syncs the folder, and with it the name. */
async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
