/** Tests the configuration from environment variables, and its errors. */

import { readFile } from 'node:fs/promises';
import { ConfigError } from '@embedmill/contract';
import { describeConfig, readConfig } from '@embedmill/core/process';
import { describe, expect, it } from 'vitest';

describe('readConfig', () => {
  it('has a default for every variable that needs one', () => {
    const config = readConfig({});
    expect(config.port).toBe(8080);
    expect(config.prefix).toBe('em');
    expect(config.redisBudgetBytes).toBe(256 * 1024 * 1024);
    expect(config.redisUrl).toBeUndefined();
    expect(config.threads).toBeUndefined();
  });

  it('reads numbers in the unit of the variable', () => {
    const config = readConfig({
      PORT: '0',
      EMBEDMILL_THREADS: '3',
      EMBEDMILL_SHARD_MB: '2',
      EMBEDMILL_LOCK_MS: '5000',
    });
    expect(config).toMatchObject({ port: 0, threads: 3, shardBytes: 2 * 1024 * 1024, lockMs: 5000 });
  });

  it('treats an empty variable as unset', () => {
    expect(readConfig({ PORT: '', REDIS_URL: '' })).toMatchObject({ port: 8080, redisUrl: undefined });
  });

  it('reports all invalid variables in one error, with the given and the expected value', () => {
    const bad = {
      PORT: '99999',
      EMBEDMILL_THREADS: 'two',
      EMBEDMILL_LOG_LEVEL: 'loud',
      EMBEDMILL_PREFIX: 'a:b',
    };
    const read = () => readConfig(bad);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/PORT: expected a whole number from 0 to 65535, got "99999"/);
    expect(read).toThrow(/EMBEDMILL_THREADS: expected a whole number from 1 to 1024, got "two"/);
    expect(read).toThrow(/EMBEDMILL_LOG_LEVEL: expected one of .*debug.*, got "loud"/);
    expect(read).toThrow(/EMBEDMILL_PREFIX: expected letters, digits/);
  });

  it('never quotes a Redis URL, which may contain a password', () => {
    expect(() => readConfig({ REDIS_URL: 'http://user:hunter2@host' })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    );
  });

  it('ignores unknown variables, such as those that Kubernetes sets for services', () => {
    expect(() => readConfig({ EMBEDMILL_PRODUCER_SERVICE_HOST: '10.0.0.7' })).not.toThrow();
  });
});

describe('docs/configuration.md', () => {
  it('is up to date (`npm run docs:configuration` updates it)', async () => {
    const page = await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    expect(page).toBe(describeConfig());
  });
});
