/** Reads lists of API keys, from the variable or from a file; only their hashes stay in memory. */

import { createHash } from 'node:crypto';

/** What a key may do; each role includes the ones before it. */
export const ROLES = ['read', 'submit', 'admin'] as const;

/** `read`: look and download. `submit`: also start, feed, end and delete runs, and embed. `admin`: also change the queues. */
export type Role = (typeof ROLES)[number];

/** A key that is let in. */
export interface ApiKey {
  /** Who has it; appears in the log. */
  name: string;
  role: Role;
  /** SHA-256 of the secret. A hash without salt is enough for secrets that nobody can guess. */
  sha256: Buffer;
}

/** What a list holds, or what is wrong with it in words that repeat no secret. */
export type KeyList = { ok: true; keys: ApiKey[] } | { ok: false; problem: string };

/** How an entry is written; the error for every other one says so. */
const ENTRY = /^(?<name>[A-Za-z0-9._-]{1,64}):(?<role>[a-z]+):(?<secret>[\x21-\x2b\x2d-\x7e]{16,256})$/;
const EXPECTED = 'name:role:secret with the role read, submit or admin and a secret of 16 to 256 characters';

/** Reads `name:role:secret` entries, divided by commas or line ends; `#` begins a line that is a comment. */
export function readKeyList(text: string): KeyList {
  const entries = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const keys: ApiKey[] = [];
  for (const [at, entry] of entries.entries()) {
    const { name = '', role, secret = '' } = ENTRY.exec(entry)?.groups ?? {};
    const known = ROLES.find((each) => each === role);
    if (known === undefined) return { ok: false, problem: `entry ${at + 1} is not ${EXPECTED}` };
    if (keys.some((key) => key.name === name)) return { ok: false, problem: `the name ${name} stands twice` };
    keys.push({ name, role: known, sha256: createHash('sha256').update(secret).digest() });
  }
  return keys.length === 0
    ? { ok: false, problem: `there is no key; expected ${EXPECTED}` }
    : { ok: true, keys };
}
