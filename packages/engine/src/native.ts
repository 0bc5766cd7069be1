/** Loads the addon and gives its functions types. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EngineError, type EngineErrorCode } from './errors.ts';

/** A model in native memory; its thread's own, over weights that the process shares. */
export interface NativeModel {
  readonly dim: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly maxTokens: number;
  /** CRC-32 of the weight file. */
  readonly checksum: number;
}

/** The forward pass for one instruction set. */
export interface Kernel {
  name: string;
  /** Whether this CPU and its operating system can run it. */
  available: boolean;
}

/** What `native/addon.cpp` exports. */
export interface NativeEngine {
  kernels(): Kernel[];
  open(path: string, kernel: string): NativeModel;
  embed(
    model: NativeModel,
    ids: Int32Array,
    lengths: Int32Array,
    target: Float32Array,
    offset: number,
  ): undefined;
  close(model: NativeModel): undefined;
}

/** Where `scripts/build.mjs` puts the addon. */
export const ADDON_PATH = fileURLToPath(new URL('./engine.node', import.meta.url));

let loaded: NativeEngine | undefined;

/**
 * The addon of this machine.
 *
 * @throws EngineError `engine-unavailable` when it was not built, or cannot be loaded
 */
export function loadEngine(): NativeEngine {
  loaded ??= load(ADDON_PATH);
  return loaded;
}

function load(path: string): NativeEngine {
  if (!existsSync(path)) {
    throw new EngineError(
      'engine-unavailable',
      `the exact engine was not built for this machine: "${path}" is missing (npm run build needs g++ 11 or clang 14)`,
    );
  }
  const module: { exports: Partial<NativeEngine> } = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (cause) {
    throw new EngineError(
      'engine-unavailable',
      `cannot load the exact engine "${path}": ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
  return module.exports as NativeEngine;
}

/** Calls the addon; its errors become EngineErrors. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const code = (cause as { code?: EngineErrorCode }).code;
    throw new EngineError(code ?? 'input-invalid', messageOf(cause), { cause });
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
