/** Values read on a connection without ioredis. */

import { faultOf } from '@embedmill/core/process';
import { ValueReader } from '@embedmill/core/redis';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testRedis } from '../support/redis.ts';
import { type RedisProcess, redisProcess } from '../support/redis-process.ts';

const VALUE = Buffer.from(Uint8Array.from({ length: 1_000_003 }, (_, i) => i % 251));

function readerFor(url: string): ValueReader {
  const reader = ValueReader.forUrl(url)!;
  onTestFinished(() => reader.close());
  return reader;
}

/** A server with `VALUE` under `key`. */
async function serverWithValue(): Promise<RedisProcess> {
  const server = await redisProcess();
  await server.start();
  await server.ask((redis) => redis.set('key', VALUE));
  return server;
}

describe('a value reader', () => {
  it('reads values, absent keys and parts of a value, one command after the other', async () => {
    const { url, prefix, client } = testRedis();
    const [key, short, absent] = ['a', 'b', 'c'].map((name) => `${prefix}:${name}`) as [
      string,
      string,
      string,
    ];
    await client.mset(key, VALUE, short, 'x');
    const reader = readerFor(url);
    const target = Buffer.alloc(1000);
    const [all, bytes, rest, none] = await Promise.all([
      reader.readAll([key, absent, short]),
      reader.readInto(target, key, 500_000),
      reader.readInto(Buffer.alloc(1000), key, 1_000_000),
      reader.readInto(Buffer.alloc(1000), absent, 0),
    ]);
    expect([all[0]?.byteLength, all[1], all[2]]).toEqual([VALUE.byteLength, null, Buffer.from('x')]);
    expect(VALUE.equals(all[0]!)).toBe(true);
    expect([bytes, rest, none]).toEqual([1000, 3, 0]);
    expect(target.equals(VALUE.subarray(500_000, 501_000))).toBe(true);
  });

  it('uses the user, the password and the database of the URL', async () => {
    const { url, prefix, client } = testRedis();
    const [user, key] = [`user${prefix}`, `${prefix}:key`];
    await client.acl('SETUSER', user, 'on', '>a secret', '~*', '+mget', '+select', '+set');
    onTestFinished(async () => void (await new Redis(url).acl('DELUSER', user)));
    const given = new URL(url);
    const urlOf = (password: string) => {
      const { host } = given;
      return `redis://${user}:${encodeURIComponent(password)}@${host}/5`;
    };
    const other = new Redis(url, { db: 5 });
    onTestFinished(() => other.disconnect());
    await other.set(key, 'of database 5', 'EX', 60);
    expect(await readerFor(urlOf('a secret')).readAll([key])).toEqual([Buffer.from('of database 5')]);
    const refusal = await readerFor(urlOf('wrong'))
      .readAll([key])
      .catch((error) => error);
    expect(faultOf(refusal)).toMatchObject({ kind: 'WRONGPASS', scope: 'all' });
  });

  it('fails while the server is down, and reads again after its restart', async () => {
    const server = await serverWithValue();
    const reader = readerFor(server.url);
    await reader.readAll(['key']);
    await server.kill();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const fault = faultOf(await reader.readAll(['key']).catch((error) => error));
      expect(fault).toMatchObject({ source: 'redis', duration: 'passing', scope: 'all' });
    }
    await server.start();
    await expect
      .poll(async () => {
        const [value] = await reader.readAll(['key']).catch(() => []);
        return value instanceof Buffer && VALUE.equals(value);
      })
      .toBe(true);
  });

  it('fails when the server is silent, and at once when it is closed', async () => {
    const server = await serverWithValue();
    const { port } = server;
    const reader = new ValueReader({ address: { host: '127.0.0.1', port }, greeting: [], silenceMs: 200 });
    await reader.readAll(['key']);
    server.freeze();
    expect(faultOf(await reader.readAll(['key']).catch((error) => error)).source).toBe('redis');
    const waiting = reader.readAll(['key']);
    reader.close();
    await expect(waiting).rejects.toThrow('Connection is closed.');
    await expect(reader.readAll(['key'])).rejects.toThrow('Connection is closed.');
  });

  it('is not offered for TLS, Sentinels and clusters', () => {
    for (const url of ['rediss://host', 'redis+sentinel://host/name', 'redis+cluster://host#em'])
      expect(ValueReader.forUrl(url)).toBeUndefined();
    expect(ValueReader.forUrl('unix:///run/redis.sock')).toBeInstanceOf(ValueReader);
  });
});
