/** Reads .npy files and the files beside them with NumPy. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dtype } from '@embedmill/contract';
import { encodeScales, npy } from '@embedmill/core/formats';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { provideNumpy } from '../../support/numpy.ts';
import { collect, encodeChunks, makeRows, sliceAt } from './vectors.ts';

const numpy = await provideNumpy();

describe.skipIf(numpy === null)('NumPy', () => {
  const rows = makeRows(50, 24, { absentEvery: 6 });

  test.each([
    ['float32', 0],
    ['float16', 2 ** -15],
    ['int8', 0.0003],
  ] satisfies [Dtype, number][])('reads %s as the floats that were given', async (dtype, tolerance) => {
    const folder = temporaryFolder();
    const path = (name: string) => join(folder, name);
    writeFileSync(path('v.npy'), Buffer.concat(await encodeChunks(npy, rows, { dtype })));
    const scales = encodeScales(sliceAt(rows, [7]), { rows: 50, dim: 24 });
    writeFileSync(path('v.scales.npy'), Buffer.concat(await collect(scales)));
    writeFileSync(path('given.f32'), new Uint8Array(rows.vectors.buffer));
    const printed = await numpy!(`
import json, os
os.chdir(${JSON.stringify(folder)})
vectors = np.load("v.npy", mmap_mode="r")
scales = np.load("v.scales.npy")
floats = vectors * scales[:, None] if vectors.dtype == np.int8 else vectors.astype(np.float32)
given = np.fromfile("given.f32", dtype=np.float32).reshape(50, 24)
print(json.dumps([str(vectors.dtype), vectors.shape, scales.shape, float(np.abs(floats - given).max())]))`);
    const [found, shape, scalesShape, off] = JSON.parse(printed);
    expect([found, shape, scalesShape]).toEqual([dtype, [50, 24], [50]]);
    expect(off).toBeLessThanOrEqual(tolerance);
  });
});
