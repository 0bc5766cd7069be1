/**
 * The file `owner.json` in the folder of a private server: ensures that at most one server writes there.
 *
 * The file holds the port and the password of the server that owns the folder. It is created before the
 * server starts and removed after it ended. It survives kill -9, so its existence proves nothing; what counts
 * is whether the server still responds, and the password proves that it is not another program on the same
 * port. The states that a starting process can find:
 *
 *   no file                                     → take the folder
 *   server responds, starter is alive           → in use: throw immediately
 *   server responds, starter is dead            → its guardian is ending it: wait
 *   no response, starter is alive, file is new  → it is starting: wait
 *   no response, otherwise                      → stale: take the folder
 *   file without its content, file is new       → being written, on a disk without hard links: wait
 *   file without its content, otherwise         → stale: take the folder
 */

import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '@embedmill/contract';
import { createExclusive } from '../disk/create-exclusive.ts';
import { GRACE_SECONDS } from './guardian.ts';
import { isAlive } from './is-alive.ts';
import { ping } from './ping.ts';

/** The content of the owner file. */
export interface Owner {
  /** Process id of the process that started the server. */
  starterPid: number;
  port: number;
  password: string;
}

/**
 * Age from which an owner file without a responding server is stale; a server listens within milliseconds.
 */
const STARTING_MS = 5_000;

/** Maximum wait for a server that is starting or ending: the grace time of its guardian, plus a margin. */
const WAIT_MS = (GRACE_SECONDS + 3) * 1_000;

/**
 * Makes `owner` the owner of `folder`; waits for a predecessor that is ending.
 * @throws {UnavailableError} `redis-folder-in-use` if another server owns the folder
 */
export async function claimFolder(folder: string, owner: Owner): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await createExclusive(ownerPath(folder), ownerText(owner)))) {
    const text = await readOwnerFile(folder);
    if (text === undefined) continue;
    const previous = parseOwner(text);
    if (previous === null) {
      if ((await ageMs(folder)) > STARTING_MS) await removeOwnerFile(folder, text);
      else await sleep(50);
      continue;
    }
    const answer = await ping(previous.port, previous.password);
    const isGone = answer === 'refused' || answer === 'foreign';
    const isStarterAlive = isAlive(previous.starterPid);
    if (isGone && (!isStarterAlive || (await ageMs(folder)) > STARTING_MS)) {
      await removeOwnerFile(folder, text);
    } else if ((!isGone && isStarterAlive) || performance.now() > deadline) {
      throw new UnavailableError(
        'redis-folder-in-use',
        `folder "${folder}" is in use by the Redis server of process ${previous.starterPid} ` +
          `(127.0.0.1:${previous.port}); stop that process, or set EMBEDMILL_DATA_DIR to another folder`,
        { facts: { folder, starterPid: previous.starterPid, port: previous.port } },
      );
    } else {
      await sleep(50);
    }
  }
}

/** Releases `folder`; call it only after the server ended. */
export async function releaseFolder(folder: string, owner: Owner): Promise<void> {
  await removeOwnerFile(folder, ownerText(owner));
}

/**
 * Removes the file if its content is still `expected`; another process may have replaced it in the meantime.
 */
async function removeOwnerFile(folder: string, expected: string): Promise<void> {
  const aside = `${ownerPath(folder)}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(ownerPath(folder), aside);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw thrown;
  }
  const found = await readFile(aside, 'utf8');
  if (found !== expected) await createExclusive(ownerPath(folder), found).catch(() => {});
  await rm(aside, { force: true });
}

async function readOwnerFile(folder: string): Promise<string | undefined> {
  return readFile(ownerPath(folder), 'utf8').catch(() => undefined);
}

async function ageMs(folder: string): Promise<number> {
  const { mtimeMs } = await stat(ownerPath(folder)).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs;
}

function parseOwner(text: string): Owner | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function ownerPath(folder: string): string {
  return join(folder, 'owner.json');
}

function ownerText(owner: Owner): string {
  return `${JSON.stringify(owner)}\n`;
}
