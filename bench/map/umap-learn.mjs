/** The reference implementation of UMAP, if a Python with umap-learn is given. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Reads float32 from stdin and writes x and y as float32, then the CPU time as float32. Its default parameters, cosine. */
const SCRIPT = `
import sys, time
import numpy as np
import umap
rows, dim = int(sys.argv[1]), int(sys.argv[2])
x = np.frombuffer(sys.stdin.buffer.read(), dtype='<f4').reshape(rows, dim)
umap.UMAP(n_epochs=1, random_state=1).fit_transform(x[:500])  # compiles
start = time.process_time()
y = umap.UMAP(metric='cosine', random_state=1).fit_transform(x)
used = time.process_time() - start
sys.stdout.buffer.write(np.concatenate([y.astype('<f4').ravel(), [used]]).astype('<f4').tobytes())
`;

/**
 * @param {string | undefined} python path of the interpreter
 * @param {import('@embedmill/analysis').Matrix} matrix
 * @returns {Promise<{ result: Float32Array, ms: number } | { skipped: string }>}
 */
export async function umapLearn(python, { rows, dim, vectors }) {
  if (python === undefined) return { skipped: 'no --python given' };
  if (!existsSync(python)) return { skipped: `there is no ${python}` };
  const input = Buffer.from(vectors.buffer, vectors.byteOffset, rows * dim * 4);
  const { status, stdout, stderr } = spawnSync(
    python,
    ['-W', 'ignore', '-c', SCRIPT, String(rows), String(dim)],
    {
      input,
      maxBuffer: 2 ** 30,
    },
  );
  if (status !== 0) return { skipped: String(stderr).trim().split('\n').at(-1) };
  const numbers = new Float32Array(new Uint8Array(stdout).buffer);
  return { result: numbers.subarray(0, 2 * rows), ms: 1000 * numbers[2 * rows] };
}
