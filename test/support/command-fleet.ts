/** A producer and workers as processes of the built `embedmill` command, shared by the tests of a file. */

import { basename, join } from 'node:path';
import { inject } from 'vitest';
import { startSharedEmbedmill } from './embedmill.ts';
import type { TestProcess } from './process.ts';

/** A running fleet. */
export interface CommandFleet {
  /** URL of the producer. */
  server: string;
  /** Stops the processes, newest first. */
  end(): Promise<void>;
}

/**
 * Starts the processes on the Redis of the test run, and resolves when they are ready. Call `end` after all tests.
 * @param folder a random folder; `data` in it is the data folder, and its name is the prefix of Redis keys
 * @param workers number of workers, with one thread each
 */
export async function startCommandFleet(folder: string, workers: number): Promise<CommandFleet> {
  const env = {
    REDIS_URL: inject('redisUrl'),
    EMBEDMILL_PREFIX: basename(folder),
    EMBEDMILL_DATA_DIR: join(folder, 'data'),
  };
  const start = (...args: string[]) => startSharedEmbedmill([...args, '--port', '0'], { env });
  const producer = start('producer');
  const members: TestProcess[] = [producer];
  for (let n = 0; n < workers; n++) members.push(start('worker', '--threads', '1'));
  await Promise.all(members.slice(1).map((worker) => worker.waitFor(/worker is ready/, 60_000)));
  const { input } = await producer.waitFor(/producer is up.*\n/);
  return {
    server: JSON.parse(/.*producer is up.*/.exec(input)![0]).url,
    async end() {
      for (const member of members.reverse()) {
        member.kill('SIGTERM');
        await member.waitForExit();
      }
    },
  };
}
