/** The number of workers that a backlog requires, with a controlled clock. */

import type { RunInfo } from '@embedmill/contract';
import type { WorkerReport } from '@embedmill/core/redis';
import { Scaler } from '@embedmill/producer';
import { describe, expect, it } from 'vitest';

/** Simulates workers of 1,000 tokens per second each, with rates over the last 15 seconds, like those of a run. */
function simulate({ maxWorkers = 20 } = {}) {
  const state = { seconds: 0, workers: 0, idle: 0, rows: 0, done: 0 };
  const speeds: number[] = [];
  const scaler = new Scaler({
    runs: () => {
      const tokensPerSecond = speeds.slice(-15).reduce((sum, speed) => sum + speed, 0) / 15;
      const rows = { accepted: state.rows, rejected: 0, done: state.done };
      return [
        { rows, tokens: state.done * 10, rowsPerSecond: tokensPerSecond / 10, tokensPerSecond } as RunInfo,
      ];
    },
    workers: async () => state.workers,
    reports: async () =>
      Array.from({ length: state.workers }, () => ({ usedCores: 1.9, quotaCores: 2 }) as WorkerReport),
    drainTargetSeconds: 100,
    maxWorkers,
    now: () => state.seconds * 1000,
  });
  /** Advances the clock, reading the scale every second; returns the last one. */
  const pass = async (seconds: number) => {
    let scale = await scaler.scale();
    for (let second = 0; second < seconds; second += 1) {
      state.seconds += 1;
      const rowsNow = Math.min(state.rows - state.done, (state.workers - state.idle) * 100);
      state.done += rowsNow;
      speeds.push(rowsNow * 10);
      scale = await scaler.scale();
    }
    return scale;
  };
  return { state, pass };
}

describe('the number of workers that a backlog requires', () => {
  it('is one while the throughput per worker is unknown, and zero without a backlog', async () => {
    const { state, pass } = simulate();
    expect(await pass(1)).toMatchObject({ backlogRows: 0, cpuSaturation: null, desiredWorkers: 0 });
    state.rows = 1_000_000;
    expect(await pass(30)).toMatchObject({ tokensPerSecondPerWorker: null, desiredWorkers: 1 });
  });

  it('finishes the backlog in time, up to the maximum', async () => {
    const { state, pass } = simulate();
    Object.assign(state, { rows: 60_000, workers: 1 });
    // 600,000 tokens, minus those done, at 1,000 per second and worker, in 100 seconds.
    expect(await pass(25)).toMatchObject({
      tokensPerSecondPerWorker: 1000,
      cpuSaturation: 0.95,
      desiredWorkers: 6,
    });
    const few = simulate({ maxWorkers: 2 });
    Object.assign(few.state, { rows: 60_000, workers: 1 });
    expect(await few.pass(25)).toMatchObject({ desiredWorkers: 2 });
  });

  it('does not grow because workers were added: new workers do not lower the throughput', async () => {
    const { state, pass } = simulate();
    Object.assign(state, { rows: 60_000, workers: 1 });
    await pass(25);
    state.workers = 6;
    for (let second = 0; second < 40; second += 1) {
      expect(await pass(1)).toMatchObject({ tokensPerSecondPerWorker: 1000 });
    }
    expect((await pass(1)).desiredWorkers).toBeLessThan(6);
  });

  it('does not grow because the last rows leave workers idle', async () => {
    const { state, pass } = simulate();
    Object.assign(state, { rows: 60_000, workers: 3 });
    expect(await pass(195)).toMatchObject({ backlogRows: 1500, tokensPerSecondPerWorker: 1000 });
    state.idle = 2;
    expect(await pass(14)).toMatchObject({
      backlogRows: 100,
      tokensPerSecondPerWorker: 1000,
      desiredWorkers: 1,
    });
  });
});
