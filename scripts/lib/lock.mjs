/** A lock file for changes of the checkout (node_modules, dist). */

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than any set-up: the holder has exited, and another process has its id. */
const STALE_MS = 20 * 60_000;

/**
 * Runs `work` while this process holds the lock. If another process holds it, calls `onWait` with its process
 * id and waits. The lock of a process that no longer exists is taken over.
 */
export async function withLock(path, work, { onWait = () => {} } = {}) {
  mkdirSync(dirname(path), { recursive: true });
  let announced;
  while (!create(path)) {
    const holder = readHolder(path);
    if (holder === undefined) continue;
    if (holder.isStale) {
      remove(path, holder.text);
      continue;
    }
    if (announced !== holder.pid) onWait(holder.pid);
    announced = holder.pid;
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    remove(path, String(process.pid));
  }
}

/** Creates the file atomically with its content; returns false if it exists. */
function create(path) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The holder of the lock; `undefined` if it has been released. */
function readHolder(path) {
  try {
    const text = readFileSync(path, 'utf8');
    const pid = Number(text);
    const isOld = Date.now() - statSync(path).mtimeMs > STALE_MS;
    return { text, pid, isStale: isOld || !isAlive(pid) };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes the lock if its content is still `expected`: another process may have taken it over. */
function remove(path, expected) {
  const aside = `${path}.${process.pid}.aside`;
  try {
    renameSync(path, aside);
    if (readFileSync(aside, 'utf8') !== expected) linkSync(aside, path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
