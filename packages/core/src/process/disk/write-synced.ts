/** Writes a new file whose content survives a power cut. */

import { open } from 'node:fs/promises';

/**
 * Writes a file that must not exist, and syncs its content; the caller syncs the folder, and with it the name.
 * @throws the error of the file system; the file may then exist with a part of the content
 */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
