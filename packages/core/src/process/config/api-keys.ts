/** Parses lists of API keys; only the hashes of the secrets stay in memory. */

import { createHash } from 'node:crypto';

/** What a key may do; each role includes the ones before it. */
export const ROLES = ['read', 'submit', 'admin'] as const;

/** `read`: view and download. `submit`: also embed, and create, fill, seal, cancel and delete runs. `admin`: also change the
 * queues. */
export type Role = (typeof ROLES)[number];

/** An accepted API key. */
export interface ApiKey {
  /** Name of the holder; logged with each request. */
  name: string;
  role: Role;
  /** SHA-256 of the secret. A hash without salt is enough for secrets that cannot be guessed. */
  sha256: Buffer;
}

/** The keys of a list, or what is wrong with the list, in a message that repeats no secret. */
export type KeyList = { ok: true; keys: ApiKey[] } | { ok: false; problem: string };

/** Syntax of an entry; `EXPECTED` describes it in error messages. */
const ENTRY = /^(?<name>[A-Za-z0-9._-]{1,64}):(?<role>[a-z]+):(?<secret>[\x21-\x2b\x2d-\x7e]{16,256})$/;
const EXPECTED = 'name:role:secret with the role read, submit or admin and a secret of 16 to 256 characters';

/** Reads `name:role:secret` entries, separated by commas or line ends; lines that start with `#` are comments. */
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
    if (keys.some((key) => key.name === name))
      return { ok: false, problem: `the name ${name} is used twice` };
    keys.push({ name, role: known, sha256: createHash('sha256').update(secret).digest() });
  }
  return keys.length === 0
    ? { ok: false, problem: `the list has no key; expected ${EXPECTED}` }
    : { ok: true, keys };
}
