/** Chooses the kernel: the fastest that the CPU can run, or the one that was asked for. */
import { EngineError } from './errors.ts';
import { callNative, type Kernel, loadEngine } from './native.ts';

/**
 * The kernels of this build, fastest first. They give the same bytes; `scalar`, the reference, runs everywhere.
 *
 * @throws EngineError `engine-unavailable`
 */
export function kernels(): Kernel[] {
  return callNative(() => loadEngine().kernels());
}

/**
 * The kernel that a model uses.
 *
 * @param name a kernel, or `auto` for the fastest
 * @throws EngineError `engine-unavailable` or `kernel-unavailable`
 */
export function chooseKernel(name = 'auto'): string {
  const all = kernels();
  const available = all.filter((kernel) => kernel.available).map((kernel) => kernel.name);
  if (name === 'auto') return available[0]!;
  if (available.includes(name)) return name;
  const isKnown = all.some((kernel) => kernel.name === name);
  throw new EngineError(
    'kernel-unavailable',
    `${isKnown ? `this CPU cannot run the kernel "${name}"` : `"${name}" is not a kernel`}, expected auto, ${available.join(', ')}`,
  );
}
