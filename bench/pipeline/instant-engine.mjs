/** An engine that takes no time: what remains of a run is the time of the pipeline. */

/** Opens an engine that returns the same vector for every text, without inference. */
export function openEngine() {
  const vector = new Float32Array(384).fill(1 / Math.sqrt(384));
  return {
    dim: 384,
    fingerprint: '696e7374616e7421',
    embed(text, target, offset) {
      target.set(vector, offset);
      return { verdict: 'ok', tokens: text.length >> 2, lostTokens: 0 };
    },
    close() {},
  };
}
