/** Outputs that are written while their rows are still being read and embedded. */

import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { followParts } from '@embedmill/client';
import type { RunInfo, VectorBlock } from '@embedmill/contract';
import type { FieldsRow } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { fetchOutput, publishOutput } from '../../../apps/cli/src/engine/run/fetch.ts';
import { PartQueue } from '../../../apps/cli/src/engine/run/part-queue.ts';
import { together } from '../../../apps/cli/src/engine/run/together.ts';
import { ColumnSpool } from '../../../apps/cli/src/io/columns/spool.ts';
import { Broadcast } from '../../../apps/cli/src/io/output/broadcast.ts';
import { toFiles } from '../../../apps/cli/src/io/output/files.ts';
import type { OutputTarget } from '../../../apps/cli/src/io/output/types.ts';
import { temporaryFolder } from '../../support/folder.ts';

const signal = new AbortController().signal;
const DIM = 4;

/** A run whose parts are done when the test says so. */
class TestRun {
  readonly #done = new Map<number, PromiseWithResolver<VectorBlock[]>>();
  readonly asked: number[] = [];

  #part(part: number): PromiseWithResolver<VectorBlock[]> {
    const known = this.#done.get(part) ?? withResolver<VectorBlock[]>();
    this.#done.set(part, known);
    return known;
  }

  finish(part: number, ids: (string | null)[], missing: VectorBlock['missing'] = []): void {
    const vectors = new Float32Array(ids.length * DIM).fill(part);
    for (const { row } of missing) vectors.fill(0, row * DIM, (row + 1) * DIM);
    this.#part(part).resolve([{ ids, dim: DIM, vectors, missing }]);
  }

  client = {
    getRun: async () =>
      ({ dim: DIM, fingerprint: 'f', options: { model: 'm', precision: 'int8' } }) as unknown as RunInfo,
    followParts: (_run: string, parts: AsyncIterable<number> | Iterable<number>) =>
      followParts(parts, (part) => {
        this.asked.push(part);
        return this.#part(part).promise;
      }),
  };
}

interface PromiseWithResolver<Value> {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
}

function withResolver<Value>(): PromiseWithResolver<Value> {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const targetOf = (path: string, format: OutputTarget['format']): OutputTarget => ({
  ...{ path, format, object: null, isLance: false, encoding: 'float', dtype: 'float32' },
  ...{ dimensions: null, shardRows: null },
});

const row = (id: string, fields: Record<string, unknown>): FieldsRow => ({
  ...{ ok: true, line: 1, id, text: 't' },
  fields: { json: fields },
});

/** Passes the numbers of parts when the test sends them. */
class Parts {
  readonly queue = new PartQueue();
  readonly #sent: (number | null)[] = [];
  #wake = () => {};

  constructor() {
    void this.#run();
  }

  send(...parts: (number | null)[]): void {
    this.#sent.push(...parts);
    this.#wake();
  }

  async #run(): Promise<void> {
    for await (const _ of this.queue.record(this.#numbers()));
  }

  async *#numbers(): AsyncGenerator<{ number: number }> {
    for (;;) {
      const number = this.#sent.shift();
      if (number === null) return;
      if (number !== undefined) yield { number };
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

describe('an output', () => {
  test('is written in row order as its parts are done, with numbers for ids and a report', async () => {
    const path = join(temporaryFolder(), 'out.npy');
    const run = new TestRun();
    const parts = new Parts();
    const output = targetOf(path, 'npy');
    const fetching = fetchOutput(
      { client: run.client, run: 'r', parts: parts.queue, output, retry: {}, columns: null, index: null },
      signal,
    );
    parts.send(1, 2, 3);
    await expect.poll(() => run.asked).toEqual([1]);
    run.finish(1, ['a', null]);
    // Several parts are asked for at a time once the size of one is known.
    await expect.poll(() => run.asked).toEqual([1, 2, 3]);
    run.finish(3, [null]);
    run.finish(2, ['c', null], [{ row: 1, line: 7, verdict: 'empty', message: 'the text is empty' }]);
    parts.send(null);
    const fetched = await fetching;
    expect(fetched.counts).toEqual({ rows: 5, downloadedRows: 5 });
    const after = { rows: { done: 5 }, verdicts: { empty: 1, failed: 0 } } as RunInfo;
    await expect(
      publishOutput({ ...after, rows: { ...after.rows, done: 6 } }, fetched, {
        ...{ output, destination: toFiles(path), onDrafts: async () => {} },
      }),
    ).rejects.toThrow('the producer sent 5 rows');
    await publishOutput(after, fetched, { output, destination: toFiles(path), onDrafts: async () => {} });
    const floats = new Float32Array(Uint8Array.from(readFileSync(path).subarray(128)).buffer);
    expect([...floats].filter((_, n) => n % DIM === 0)).toEqual([1, 1, 2, 0, 3]);
    expect(readFileSync(path).toString('latin1', 0, 128)).toContain("'shape': (5, 4)");
    const ids = readFileSync(join(dirname(path), 'out.ids.jsonl'), 'utf8');
    expect(ids.trim().split('\n')).toEqual(['a', '2', 'c', '4', '5'].map((id) => JSON.stringify({ id })));
    expect(JSON.parse(readFileSync(`${path}.report.jsonl`, 'utf8'))).toEqual({
      ...{ id: '4', line: 7, verdict: 'empty', message: 'the text is empty' },
    });
  });

  test('has the dimension of the model if its first rows have no vector and the state is late', async () => {
    const path = join(temporaryFolder(), 'out.npy');
    const run = new TestRun();
    const parts = new Parts();
    const states = [null, DIM];
    const getRun = async () => ({ ...(await run.client.getRun()), dim: states.shift() ?? DIM });
    const fetching = fetchOutput(
      {
        ...{ client: { ...run.client, getRun }, run: 'r', parts: parts.queue, output: targetOf(path, 'npy') },
        ...{ retry: {}, columns: null, index: null },
      },
      signal,
    );
    parts.send(1, 2, null);
    run.finish(1, ['a'], [{ row: 0, line: 1, verdict: 'empty', message: 'the text is empty' }]);
    run.finish(2, ['b']);
    const { vectors } = await fetching;
    expect(readFileSync(vectors[0]!.draftPath).toString('latin1', 0, 128)).toContain("'shape': (2, 4)");
  });

  test('is begun again when a later row has another column', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'out.jsonl');
    const run = new TestRun();
    const parts = new Parts();
    const spool = new ColumnSpool(join(folder, 'columns'), 'all');
    const output = targetOf(path, 'jsonl');
    const columns = { spool, idField: 'id' };
    const fetching = fetchOutput(
      { client: run.client, run: 'r', parts: parts.queue, output, retry: {}, columns, index: null },
      signal,
    );
    const later = withResolver<void>();
    const recording = spool.recordAll(
      (async function* () {
        yield [row('a', { n: 1 })];
        await later.promise;
        yield [row('b', { n: 2, more: true })];
      })(),
      signal,
    );
    parts.send(1);
    run.finish(1, ['a']);
    await expect.poll(() => readdir(folder)).toContain('.out.jsonl.embedmill');
    later.resolve();
    await recording;
    parts.send(2, null);
    run.finish(2, ['b']);
    const { vectors } = await fetching;
    const lines = readFileSync(vectors[0]?.draftPath ?? '', 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { id: 'a', n: 1, more: null, vector: [1, 1, 1, 1] },
      { id: 'b', n: 2, more: true, vector: [2, 2, 2, 2] },
    ]);
  });

  test('leaves no draft when the other side of the run fails', async () => {
    const path = join(temporaryFolder(), 'out.npy');
    const run = new TestRun();
    const parts = new Parts();
    parts.send(1, 2);
    run.finish(1, ['a']);
    const deps = { client: run.client, run: 'r', parts: parts.queue, retry: {}, columns: null, index: null };
    const upload = async () => {
      await expect.poll(() => run.asked).toContain(2);
      run.finish(2, ['b']);
      throw new Error('the input has changed');
    };
    const download = (side: AbortSignal) => fetchOutput({ ...deps, output: targetOf(path, 'npy') }, side);
    await expect(together([upload, download], signal)).rejects.toThrow('the input has changed');
    expect(await readdir(dirname(path))).toEqual([]);
  });
});

test('a broadcast waits for the slowest reader, and goes on without one that has stopped', async () => {
  let read = 0;
  const source = async function* () {
    for (; read < 5; read++) yield read;
  };
  const broadcast = new Broadcast(source(), 2);
  const [fast, slow] = [broadcast.read(), broadcast.read()];
  const first = fast.next();
  expect(await Promise.all([first, slow.next()])).toMatchObject([{ value: 0 }, { value: 0 }]);
  const second = fast.next();
  await slow.return(undefined);
  expect((await second).value).toBe(1);
  expect((await fast.next()).value).toBe(2);
  broadcast.fail(new Error('disk full'));
  await expect(fast.next()).rejects.toThrow('disk full');
});
