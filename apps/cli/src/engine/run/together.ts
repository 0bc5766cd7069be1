/** Runs the sides of a run at the same time. */

import { setMaxListeners } from 'node:events';

/** What is called with a signal that the first failure aborts. */
export type Side<Value> = (signal: AbortSignal) => Promise<Value>;

/**
 * Waits for all sides. The first failure stops the others, and is thrown when they have stopped.
 * @param signal stops all sides; its reason is thrown
 */
export async function together<Values extends readonly unknown[]>(
  sides: { readonly [Key in keyof Values]: Side<Values[Key]> },
  signal: AbortSignal,
): Promise<Values> {
  const failing = new AbortController();
  const combined = AbortSignal.any([signal, failing.signal]);
  // Each part that waits for its producer adds a listener.
  setMaxListeners(0, combined);
  const results = await Promise.allSettled(
    sides.map(async (side) => {
      try {
        return await side(combined);
      } catch (error) {
        failing.abort(error);
        throw error;
      }
    }),
  );
  combined.throwIfAborted();
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as Values;
}
