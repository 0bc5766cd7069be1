/** Reads and writes the record of an installed model. */

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MODEL_RECORD_FILE, type ModelRecord } from '@embedmill/contract';

/** Reads the record of a folder; `null` if it has none that can be read. */
export function readRecord(folder: string): ModelRecord | null {
  try {
    const record = JSON.parse(readFileSync(join(folder, MODEL_RECORD_FILE), 'utf8'));
    return typeof record.repository === 'string' ? record : null;
  } catch {
    return null;
  }
}

/** Writes the record. */
export async function writeRecord(folder: string, record: ModelRecord): Promise<void> {
  await writeFile(join(folder, MODEL_RECORD_FILE), `${JSON.stringify(record, undefined, 2)}\n`);
}
