/** How errors become problem documents: every code has a status, and no internals are disclosed. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError, EmbedmillError, RequestError, UnavailableError } from '@embedmill/contract';
import { describe, expect, it } from 'vitest';
import { asKnownError, problemOf } from '../../../apps/producer/src/http/errors.ts';
import { PROBLEMS } from '../../../apps/producer/src/http/problems.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Sources whose errors reach the API. */
const SOURCES = [
  'packages/core/src/runs',
  'packages/core/src/formats/rows',
  'packages/core/src/redis/interactive',
  'apps/producer/src',
];

/** Codes that are only logged, or whose client has disconnected. */
const NEVER_ANSWERED = new Set(['client-gone']);

function codesIn(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const source = readFileSync(join(ROOT, folder, name), 'utf8');
      const thrown = source.matchAll(/new (?:Request|Unavailable|Embedmill)Error\(\s*'([a-z-]+)'/g);
      return [...thrown].map(([, code]) => code!);
    });
}

const answer = (thrown: unknown) => problemOf(asKnownError(thrown), 'req-1');

describe('the table of problems', () => {
  it('has every code that can reach the API', () => {
    const codes = new Set(SOURCES.flatMap(codesIn));
    expect(codes.size).toBeGreaterThan(15);
    const missing = [...codes].filter((code) => !Object.hasOwn(PROBLEMS, code) && !NEVER_ANSWERED.has(code));
    expect(missing).toEqual([]);
  });

  it('uses 503 only for errors that may be retried', () => {
    const passing = Object.entries(PROBLEMS).filter(([, { status }]) => status === 503);
    expect(passing.map(([code]) => code).sort()).toEqual([
      'disk-full',
      'disk-unavailable',
      'model-loading',
      'no-workers',
      'redis-unavailable',
      'unavailable',
    ]);
  });
});

describe('a problem', () => {
  it('includes the facts of its error, which cannot replace its own fields', () => {
    const facts = { state: 'sealed', status: 200, code: 'fine' };
    expect(answer(new RequestError('run-sealed', 'run r1 is sealed', { facts }))).toEqual({
      type: 'urn:embedmill:problem:run-sealed',
      title: 'The run is sealed',
      status: 409,
      detail: 'run r1 is sealed',
      code: 'run-sealed',
      instance: 'urn:embedmill:request:req-1',
      state: 'sealed',
    });
  });

  it.each([
    ['a thrown string', 'the password is swordfish'],
    ['undefined', undefined],
    ['a type error', new TypeError("cannot read 'secret' of undefined")],
    ['an internal error code', new EmbedmillError('no-ledger', '/data/secret holds no run')],
    ['damage on the disk', new CorruptError('corrupt-shard', '/data/secret is damaged')],
    ['a missing file', Object.assign(new Error("ENOENT: '/data/secret'"), { code: 'ENOENT' })],
  ])('of %s discloses no internals', (_what, thrown) => {
    const problem = answer(thrown);
    expect(problem.status).toBe(500);
    expect(JSON.stringify(problem)).not.toMatch(/secret|swordfish|data/);
    expect(problem.detail).toContain('req-1');
  });

  it.each([
    ['redis-unavailable', new Error('connect ECONNREFUSED 10.0.0.7:6379')],
    ['redis-unavailable', new Error("OOM command not allowed when used memory > 'maxmemory'.")],
    ['disk-full', Object.assign(new Error('write'), { code: 'ENOSPC' })],
    ['unavailable', new UnavailableError('lease-lost', 'the lease is lost')],
  ])('is %s for a temporary failure: %s', (code, thrown) => {
    expect(asKnownError(thrown)).toMatchObject({ code, retryable: true });
    expect(answer(thrown)).toMatchObject({ code, status: 503 });
    expect(JSON.stringify(answer(thrown))).not.toContain('10.0.0.7');
  });
});
