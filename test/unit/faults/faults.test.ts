/** What is a fault of whom, as Redis 6.2, Redis 7, Valkey, file systems and ioredis word it. */

import { readFileSync } from 'node:fs';
import { CorruptError, RequestError, UnavailableError } from '@embedmill/contract';
import { describe, expect, test } from 'vitest';
import {
  CONNECTION_ERRORS,
  DISK_ERRORS,
  faultOf,
  isRedisFault,
  REDIS_REPLIES,
} from '../../../packages/core/src/process/faults.ts';

function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: it failed, open '/data/x'`), { code });
}

describe('a fault of Redis', () => {
  test.each([
    [
      'Redis 7',
      "OOM command not allowed when used memory > 'maxmemory'. script: a1, on @user_script:9.",
      'OOM',
    ],
    ['Redis 7, plain', "OOM command not allowed when used memory > 'maxmemory'.", 'OOM'],
    [
      'Redis 6.2',
      "ERR Error running script (call to f_0c8a): @user_script:9: @user_script: 9: -OOM command not allowed when used memory > 'maxmemory'.",
      'OOM',
    ],
    [
      'Redis 6.2, read-only',
      "ERR Error running script (call to f_0c8a): @user_script:9: -READONLY You can't write against a read only replica.",
      'READONLY',
    ],
    [
      'Valkey',
      'MISCONF Valkey is configured to save RDB snapshots, but it is unable to persist to disk.',
      'MISCONF',
    ],
    ['a password', 'NOAUTH Authentication required.', 'NOAUTH'],
    ['a permission', "NOPERM User worker has no permissions to run the 'eval' command", 'NOPERM'],
    ['an unknown primary', 'NOPRIMARY the Sentinels know no primary "x"', 'NOPRIMARY'],
    ['a cluster', 'MOVED 3999 127.0.0.1:6381', 'MOVED'],
    ['any wording', 'ERR value is not an integer or out of range', 'ReplyError'],
    [
      'a script that failed',
      'ERR Error running script (call to f_1): @user_script:3: WRONGTYPE Operation',
      'ReplyError',
    ],
  ])('in the words of %s', (_, message, kind) => {
    expect(faultOf(replyError(message))).toMatchObject({ source: 'redis', scope: 'all', kind });
    expect(isRedisFault(replyError(message))).toBe(true);
  });

  test('passes by itself, unless a password, a permission or the kind of server is wrong', () => {
    const lasting = REDIS_REPLIES.filter(([, duration]) => duration === 'lasting').map(([kind]) => kind);
    expect(lasting).toEqual(['NOAUTH', 'WRONGPASS', 'NOPERM', 'NOPRIMARY', 'CROSSSLOT']);
  });

  test('is found in the cause and in one of several addresses', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:6379'), { code: 'ECONNREFUSED' });
    expect(faultOf(new Error('no luck', { cause: refused })).source).toBe('redis');
    expect(faultOf(new AggregateError([new Error('x'), refused])).kind).toBe('ECONNREFUSED');
    expect(faultOf(new Error('Connection is closed.')).kind).toBe('Connection is closed');
  });
});

describe('a fault of the disk', () => {
  test.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'EIO', 'ESTALE'])(
    '%s passes and concerns all runs',
    (code) => {
      expect(faultOf(diskError(code))).toMatchObject({ source: 'disk', duration: 'passing', scope: 'all' });
      expect(isRedisFault(diskError(code))).toBe(false);
    },
  );

  test('a missing or damaged file lasts and concerns its run alone', () => {
    expect(faultOf(diskError('ENOENT'))).toMatchObject({ source: 'disk', duration: 'lasting', scope: 'run' });
    expect(faultOf(new CorruptError('corrupt-rows', 'damaged'))).toMatchObject({
      source: 'data',
      duration: 'lasting',
      scope: 'run',
    });
  });

  test('is recognized in an EmbedmillError that wraps it', () => {
    const wrapped = new UnavailableError('unavailable', 'cannot append', { cause: diskError('EROFS') });
    expect(faultOf(wrapped)).toMatchObject({ source: 'disk', kind: 'EROFS', duration: 'passing' });
  });
});

test('what is in no table is an internal error that stops one run', () => {
  expect(faultOf(new TypeError('x is undefined'))).toEqual({
    source: 'internal',
    duration: 'lasting',
    scope: 'run',
    kind: 'TypeError',
    sentence: 'internal error',
  });
  expect(faultOf('thrown text')).toMatchObject({ source: 'internal', kind: 'string' });
  expect(faultOf(new RequestError('client-gone', 'the client disconnected')).source).toBe('client');
});

test('docs/reliability.md lists every fault with its duration and scope', () => {
  const page = readFileSync('docs/reliability.md', 'utf8');
  const listed = [
    ...page.matchAll(/^\| `([^`]+)` \| (redis|disk) \| (passing|lasting) \| (run|all) \|/gm),
  ].map(([, ...cells]) => cells);
  const known = [
    ...REDIS_REPLIES.map(([kind, duration, scope]) => [kind, 'redis', duration, scope]),
    ...CONNECTION_ERRORS.map(([, kind]) => [kind, 'redis', 'passing', 'all']),
    ...DISK_ERRORS.map(([kind, duration, scope]) => [kind, 'disk', duration, scope]),
  ];
  expect(listed).toEqual(known);
});
