/** URLs of Redis: every form, and what is wrong with others. */

import { readConfig, shownRedisUrl, withPrefix } from '@embedmill/core/process';
import { describe, expect, it } from 'vitest';
import { readRedisUrl } from '../../../packages/core/src/process/config/redis-url.ts';

const NOTHING = { path: undefined, primary: undefined, tls: undefined, prefix: undefined };
const host = (name: string, port: number) => ({ host: name, port });

describe('a Redis URL', () => {
  it.each([
    ['redis://redis', { kind: 'server', endpoints: [host('redis', 6379)], db: 0 }],
    ['redis://[::1]:7000/3?family=6', { kind: 'server', endpoints: [host('::1', 7000)], db: 3, family: 6 }],
    [
      'redis://me:a%3Ab%2F@c@redis:1/',
      { kind: 'server', endpoints: [host('redis', 1)], username: 'me', password: 'a:b/@c' },
    ],
    ['rediss://:secret@redis', { kind: 'server', password: 'secret', tls: {} }],
    [
      'rediss://redis?ca=/tls/ca.pem&cert=/tls/me.pem&key=/tls/me.key',
      { tls: { ca: '/tls/ca.pem', cert: '/tls/me.pem', key: '/tls/me.key' } },
    ],
    ['unix:///run/my%20redis.sock', { kind: 'socket', endpoints: [], path: '/run/my redis.sock' }],
    [
      'redis+unix://me:secret@/run/redis.sock?db=2',
      { kind: 'socket', path: '/run/redis.sock', db: 2, username: 'me', password: 'secret' },
    ],
    [
      'redis+sentinel://:secret@a,b:26380/main/1',
      {
        kind: 'sentinel',
        endpoints: [host('a', 26_379), host('b', 26_380)],
        primary: 'main',
        db: 1,
        password: 'secret',
      },
    ],
    [
      'rediss+cluster://a:7000,b',
      { kind: 'cluster', endpoints: [host('a', 7000), host('b', 6379)], tls: {} },
    ],
    ['redis+cluster://a#em', { kind: 'cluster', prefix: 'em' }],
  ])('%s is read', (url, parts) => {
    expect(readRedisUrl(url)).toMatchObject({ ok: true, address: parts });
  });

  it('has nothing that it does not say', () => {
    expect(readRedisUrl('redis://redis')).toEqual({
      ok: true,
      address: { kind: 'server', endpoints: [host('redis', 6379)], db: 0, family: 4, ...NOTHING },
    });
  });

  it.each([
    ['http://redis', /scheme is none of redis, rediss, /],
    ['redis', /does not have the form SCHEME:\/\/USER/],
    ['unix:/run/redis.sock', /does not have the form/],
    ['redis://', /host is missing/],
    ['redis://a:99999', /its port is not a number from 1 to 65535/],
    ['redis://a/x', /its db/],
    ['redis://a/1/2', /too many parts/],
    ['redis://a,b', /several hosts need redis\+sentinel/],
    ['redis://me@a', /the user has no password/],
    ['redis://a?timeout=5', /an option other than db, family, ca, cert, key/],
    ['redis://a?family=5', /its family is not 0, 4 or 6/],
    ['redis://a?ca=/x', /need a URL that starts with rediss/],
    ['rediss://a?cert=/x', /cert and key need each other/],
    ['unix://run/redis.sock', /a socket has a path and no host/],
    ['redis+sentinel://a', /name of the primary is missing/],
    ['redis+cluster://a/1', /only database 0/],
    ['redis://:%@a', /URI malformed/],
  ])('%s is refused', (url, problem) => {
    expect(readRedisUrl(url)).toEqual({ ok: false, problem: expect.stringMatching(problem) });
  });

  it('is refused by the configuration with the problem and without the URL', () => {
    const read = () => readConfig({ REDIS_URL: 'redis+sentinel://:hidden@a' });
    expect(read).toThrow(/REDIS_URL: .*name of the primary is missing/);
    expect(read).not.toThrow(/hidden|, got/);
  });

  it('of a cluster gets the prefix of the keys, which selects its node', () => {
    const environment = { REDIS_URL: 'redis+cluster://a', EMBEDMILL_PREFIX: 'mine' };
    expect(readConfig(environment).redisUrl).toBe('redis+cluster://a#mine');
    expect(withPrefix('redis+cluster://a#mine', 'other')).toBe('redis+cluster://a#other');
    expect(withPrefix('redis://a', 'other')).toBe('redis://a');
  });

  it('is shown without secrets', () => {
    expect(shownRedisUrl('rediss+cluster://me:secret@a:1,b:2?ca=/x#em')).toBe('rediss+cluster://a:1,b:2');
    expect(shownRedisUrl('unix:///run/redis.sock')).toBe('unix:///run/redis.sock');
    expect(shownRedisUrl('private')).toBe('unknown');
  });
});
