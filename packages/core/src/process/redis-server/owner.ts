/**
 * The file `owner.json` in a private server's folder: at most one server writes there; used by private-redis.ts.
 *
 * The file names the port and the password of the server that owns the folder. It is created before the server starts
 * and removed after it ended. After a kill -9 it stays, so its existence proves nothing; what counts is whether the
 * server behind it still answers, which its password proves even when another program got the port. The states a
 * starting process can meet:
 *   no file                        → the folder is ours
 *   the server answers, its starter lives → in use: an error at once
 *   the server answers, its starter died  → its guardian is ending it: wait
 *   nobody answers, the starter lives, the file is young → it is just starting: wait
 *   nobody answers, otherwise      → left over: take it
 */

import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '@embedmill/contract';
import { GRACE_SECONDS } from './guardian.ts';
import { isAlive } from './is-alive.ts';
import { ping } from './ping.ts';

/** Who owns a folder. */
export interface Owner {
  /** Process id of the process that started the server. */
  starterPid: number;
  port: number;
  password: string;
}

/** A server listens within milliseconds after its owner file is written; after this nobody is starting any more. */
const STARTING_MS = 5_000;

/** How long to wait for a server that is starting or ending: its guardian's grace time and a little. */
const WAIT_MS = (GRACE_SECONDS + 3) * 1_000;

/**
 * Makes `owner` the owner of `folder`. Waits for a predecessor that is ending; error `redis-folder-in-use` when one
 * lives.
 */
export async function claimFolder(folder: string, owner: Owner): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await createOwnerFile(folder, owner))) {
    const text = await readOwnerFile(folder);
    if (text === undefined) continue;
    const previous = JSON.parse(text) as Owner;
    const answer = await ping(previous.port, previous.password);
    const isGone = answer === 'refused' || answer === 'foreign';
    const isStarterAlive = isAlive(previous.starterPid);
    if (isGone && (!isStarterAlive || (await ageMs(folder)) > STARTING_MS)) {
      await removeOwnerFile(folder, text);
    } else if ((!isGone && isStarterAlive) || performance.now() > deadline) {
      throw new UnavailableError(
        'redis-folder-in-use',
        `The folder "${folder}" is in use by the Redis server that process ${previous.starterPid} started ` +
          `(127.0.0.1:${previous.port}). Stop that process first, or use another folder with EMBEDMILL_DATA_DIR.`,
        { facts: { folder, starterPid: previous.starterPid, port: previous.port } },
      );
    } else {
      await sleep(50);
    }
  }
}

/** Gives `folder` back; only after the server ended. */
export async function releaseFolder(folder: string, owner: Owner): Promise<void> {
  await removeOwnerFile(folder, ownerText(owner));
}

/** Creates the file with all its content at once; false if there is one already. */
async function createOwnerFile(folder: string, owner: Owner): Promise<boolean> {
  const draft = `${ownerPath(folder)}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, ownerText(owner), { mode: 0o600 });
  try {
    await link(draft, ownerPath(folder));
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes the file if it still says `expected`; another process may have replaced it since we read it. */
async function removeOwnerFile(folder: string, expected: string): Promise<void> {
  const aside = `${ownerPath(folder)}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(ownerPath(folder), aside);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw thrown;
  }
  if ((await readFile(aside, 'utf8')) !== expected) {
    await link(aside, ownerPath(folder)).catch(() => {});
  }
  await rm(aside, { force: true });
}

async function readOwnerFile(folder: string): Promise<string | undefined> {
  return readFile(ownerPath(folder), 'utf8').catch(() => undefined);
}

async function ageMs(folder: string): Promise<number> {
  const { mtimeMs } = await stat(ownerPath(folder)).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs;
}

function ownerPath(folder: string): string {
  return join(folder, 'owner.json');
}

function ownerText(owner: Owner): string {
  return `${JSON.stringify(owner)}\n`;
}
