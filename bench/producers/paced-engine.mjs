/** An engine that takes a fixed time per text without using a CPU, as a worker on a machine of its own does. */

/** Milliseconds per text. */
const PACE_MS = Number(process.env.BENCH_PACE_MS);
/** A thread that wakes up late catches up by at most this time. */
const MAX_LATE_MS = 50;

const clock = new Int32Array(new SharedArrayBuffer(4));

/**
 * Opens an engine whose vectors depend on the text, so that outputs can be compared. Its fingerprint is that of the
 * worker's model, which accepts no batches of a run with another one.
 */
export function openEngine({ dim, fingerprint }) {
  let busyUntil = 0;
  return {
    dim,
    fingerprint,
    embed(text, target, offset) {
      let sum = 0;
      for (let i = 0; i < text.length; i += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
      target.fill(sum / 2 ** 32, offset, offset + dim);
      const now = performance.now();
      busyUntil = Math.max(busyUntil, now - MAX_LATE_MS) + PACE_MS;
      if (busyUntil > now) Atomics.wait(clock, 0, 0, busyUntil - now);
      return { verdict: 'ok', tokens: text.length >> 2, lostTokens: 0 };
    },
    close() {},
  };
}
