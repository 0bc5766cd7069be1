/** NumPy: that of the machine's Python, or Debian's, installed if permitted. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installDebian } from './debian.ts';

const run = promisify(execFile);

/** Debian's NumPy belongs to Debian's Python, which is not always the first one. */
const PYTHONS = ['python3', '/usr/bin/python3'];

/** Runs a Python program with `numpy` imported as `np`, and returns its output. */
export type Numpy = (program: string) => Promise<string>;

/** Finds NumPy; `null`, after printing the reason, when there is none and it cannot be installed. */
export async function provideNumpy(): Promise<Numpy | null> {
  const found = await findNumpy();
  if (found !== null) return found;
  const isInstalled = await installDebian(['python3-numpy'], 'Reading by NumPy is not tested');
  return isInstalled ? findNumpy() : null;
}

async function findNumpy(): Promise<Numpy | null> {
  for (const python of PYTHONS) {
    const numpy: Numpy = async (program) =>
      (await run(python, ['-c', `import numpy as np\n${program}`], { maxBuffer: 1e8 })).stdout;
    if ((await numpy('print(np.__version__)').catch(() => null)) !== null) return numpy;
  }
  return null;
}
