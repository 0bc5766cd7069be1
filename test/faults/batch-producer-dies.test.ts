/** A batch of 20,000 requests from the official OpenAI client, whose producer is killed during it. */

import { expect, inject, test } from 'vitest';
import { until } from '../support/api.ts';
import { temporaryFolder } from '../support/folder.ts';
import { hashEngineVector, startProducerProcess, startWorkerProcess } from '../support/mill.ts';
import {
  openAiClient,
  readAnswers,
  requestLine,
  type ShownBatch,
  submitBatch,
  whenBatch,
} from '../support/openai-batch.ts';
import { testRedis } from '../support/redis.ts';

const REQUESTS = 20_000;
const textOf = (i: number) => `opinion number ${i}`;

test('Every request of a batch is answered once, although its producer was killed', async () => {
  const place = { url: inject('redisUrl'), prefix: testRedis().prefix };
  const dataDir = temporaryFolder();
  const first = await startProducerProcess(place, dataDir);
  await first.ready();
  let client = openAiClient(first.url);
  const lines = Array.from({ length: REQUESTS }, (_, i) =>
    requestLine(`r${i}`, textOf(i), { encoding_format: 'base64' }),
  );
  const { id } = await submitBatch(client, lines);
  await startWorkerProcess(place);
  // Whether all its rows are in the run by now does not matter.
  await until(async () => (await client.batches.retrieve(id)).request_counts!.completed > 0);
  first.process.kill('SIGKILL');
  await first.process.waitForExit();

  const second = await startProducerProcess(place, dataDir);
  await second.ready();
  client = openAiClient(second.url, 2);
  const done: ShownBatch = await whenBatch(client, id, undefined, 100_000);
  expect(done).toMatchObject({
    status: 'completed',
    request_counts: { total: REQUESTS, completed: REQUESTS, failed: 0 },
    error_file_id: null,
    errors: null,
  });
  const answers = await readAnswers(client, done.output_file_id);
  expect(answers.map(({ custom_id }) => custom_id)).toEqual(lines.map(({ custom_id }) => custom_id));
  const wrong = answers.filter(({ response }, i) => {
    const bytes = Buffer.from(response?.body.data[0].embedding ?? '', 'base64');
    return !bytes.equals(hashEngineVector(textOf(i), bytes.byteLength / 4)) || bytes.byteLength === 0;
  });
  expect(wrong).toEqual([]);
  expect((await client.files.list()).data).toHaveLength(2);
});
