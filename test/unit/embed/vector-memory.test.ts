/** Tests the vector memory of an embedder. */

import { Embedder, prepareModel } from '@embedmill/embed';
import { expect, onTestFinished, test } from 'vitest';
import { memoryKey, VectorMemory } from '../../../packages/embed/src/embedder/vector-memory.ts';
import { bytesOf, cacheDir, openBuiltIn, vectorOf } from './models.ts';

const recalled = (memory: VectorMemory, key: string) => {
  const target = new Float32Array(3);
  return memory.recall(key, target, 1) ? [...target] : null;
};

test('returns kept vectors and drops the least recently used one', () => {
  const memory = new VectorMemory(2, 2 * 2 * 4);
  memory.keep('a', Float32Array.of(9, 1, 2), 1);
  memory.keep('b', Float32Array.of(3, 4), 0);
  expect(recalled(memory, 'a')).toEqual([0, 1, 2]);
  memory.keep('c', Float32Array.of(5, 6), 0);
  expect(recalled(memory, 'b')).toBeNull();
  expect(recalled(memory, 'a')).toEqual([0, 1, 2]);
  expect(recalled(memory, 'c')).toEqual([0, 5, 6]);
});

test('keeps nothing without room for one vector', () => {
  const memory = new VectorMemory(384, 100);
  memory.keep('a', new Float32Array(384), 0);
  expect(recalled(memory, 'a')).toBeNull();
});

test('distinguishes texts by every token', () => {
  const keys = [[], [1], [1, 2], [12], [1, 65_536 + 2], [256], [65_536]].map(memoryKey);
  expect(new Set(keys).size).toBe(keys.length);
});

test('has small keys for long texts, which differ in every token', () => {
  const ids = Array.from({ length: 8192 }, (_, i) => i);
  const keys = [ids, ids.with(8191, 0), ids.with(0, 1), ids.slice(0, 65), ids.slice(0, 64)].map(memoryKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(Math.max(...keys.map(({ length }) => length))).toBe(256);
});

test('returns the same bits that the embedder computed', async () => {
  const model = await prepareModel({ precision: 'int8', cacheDir });
  const embedder = await Embedder.open(model, { memoryBytes: 1024 * 1024 });
  onTestFinished(() => embedder.close());
  const forgetful = await openBuiltIn('int8');
  for (const text of ['Fits well.', 'Broke after a week.', 'FITS well .', 'Fits  well.']) {
    expect(bytesOf(await vectorOf(embedder, text))).toBe(bytesOf(await vectorOf(forgetful, text)));
  }
  expect([embedder.repeats, forgetful.repeats]).toEqual([2, 0]);
});
