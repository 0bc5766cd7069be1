/** Sends interactive calls without pause and compares every answer with the hash vectors of its own texts. */

import { createHash } from 'node:crypto';
import { type EmbedJson, postEmbed } from './lane.ts';

/** How to send calls. */
export interface CallCheckerOptions {
  /** URL of the producer for the next call. */
  url: () => string;
  /** Calls in progress at any time. */
  callers: number;
  /** Draws the sizes of calls. */
  random: () => number;
  /** Deadline of each call. Default 20 s. */
  timeoutMs?: number;
}

/** What became of the calls. */
export interface CheckedCalls {
  /** Answered with status 200. */
  answered: number;
  /** Rejected, by code, or with a broken connection (`connection`). */
  rejected: Record<string, number>;
  /** Wrong answers as sentences, at most twenty. */
  faults: string[];
  /** Longest time from a call to its answer or rejection, in milliseconds. */
  longestMs: number;
}

/** Errors that a call may end with while processes and Redis fail. */
const EXPECTED_CODES = new Set([
  'redis-unavailable',
  'no-workers',
  'overloaded',
  'deadline-exceeded',
  'unavailable',
  'unknown-model',
]);

/** First floats of the hash engine's vector of a text. */
export function startOf(text: string): number[] {
  return Array.from(createHash('sha256').update(text).digest().subarray(0, 4), (byte) =>
    Math.fround(byte / 255),
  );
}

/** Starts the callers. Returns a function that ends them and returns what became of their calls. */
export function startCalls({
  url,
  callers,
  random,
  timeoutMs = 20_000,
}: CallCheckerOptions): () => Promise<CheckedCalls> {
  const checked: CheckedCalls = { answered: 0, rejected: {}, faults: [], longestMs: 0 };
  const addFault = (fault: string) => {
    if (checked.faults.length < 20) checked.faults.push(fault);
  };
  const count = (code: string) => {
    checked.rejected[code] = (checked.rejected[code] ?? 0) + 1;
  };
  let isOver = false;
  let calls = 0;
  const call = async () => {
    calls += 1;
    const texts = Array.from(
      { length: 1 + Math.floor(random() ** 4 * 40) },
      (_, row) => `${row} of call ${calls}`,
    );
    const startedAt = performance.now();
    try {
      const headers = { 'request-timeout-ms': String(timeoutMs) };
      const response = await postEmbed(url(), { texts }, { headers });
      const answer = (await response.json()) as EmbedJson & { code?: string };
      if (response.status === 200) {
        checked.answered += 1;
        for (const [row, text] of texts.entries()) {
          const own = (answer.vectors[row] as number[] | null)?.slice(0, 4).map(Math.fround);
          if (JSON.stringify(own) !== JSON.stringify(startOf(text)))
            addFault(`${text}: ${JSON.stringify(answer.outcomes[row])}, the vector starts with ${own}`);
        }
      } else if (EXPECTED_CODES.has(answer.code ?? '')) count(answer.code!);
      else addFault(`${response.status} ${JSON.stringify(answer)}`);
    } catch {
      count('connection');
    }
    checked.longestMs = Math.max(checked.longestMs, performance.now() - startedAt);
  };
  const running = Array.from({ length: callers }, async () => {
    while (!isOver) {
      const before = checked.answered;
      await call();
      // A producer that is away refuses at once.
      if (checked.answered === before) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(running);
    return checked;
  };
}
