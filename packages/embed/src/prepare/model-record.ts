/** The record of an installed model: where it came from. Stored in its folder as embedmill-model.json. */

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const RECORD_FILE = 'embedmill-model.json';

/** Where a model came from. */
export interface ModelRecord {
  /** `owner/name`. */
  repository: string;
  /** The revision that was asked for; `null` for the default branch. */
  revision: string | null;
  /** Commit of that revision when it was pulled; `null` for a folder that was added. */
  commit: string | null;
  /** Hub from which it was pulled; `null` for a folder that was added. */
  endpoint: string | null;
  /** ISO 8601. */
  installedAt: string;
  /** The files with the digests that the hub lists. */
  files: readonly { path: string; bytes: number; digest: string }[];
}

/** Reads the record of a folder; `null` if it has none that can be read. */
export function readRecord(folder: string): ModelRecord | null {
  try {
    const record = JSON.parse(readFileSync(join(folder, RECORD_FILE), 'utf8'));
    return typeof record.repository === 'string' ? record : null;
  } catch {
    return null;
  }
}

/** Writes the record. */
export async function writeRecord(folder: string, record: ModelRecord): Promise<void> {
  await writeFile(join(folder, RECORD_FILE), `${JSON.stringify(record, undefined, 2)}\n`);
}
