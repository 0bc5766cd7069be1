/** A real NumPy: that of this machine's Python, or Debian's, installed when we may. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installDebian } from './debian.ts';

const run = promisify(execFile);

/** Debian's NumPy belongs to Debian's Python, which is not always the first one. */
const PYTHONS = ['python3', '/usr/bin/python3'];

/** Runs a Python program in which `numpy` is imported as `np`, and gives what it prints. */
export type Numpy = (program: string) => Promise<string>;

/** `null`, with a line that says why, where there is none and none can be installed. */
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
