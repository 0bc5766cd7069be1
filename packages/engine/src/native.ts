/** Loads the addon and gives its functions types. */
import { existsSync, readFileSync } from 'node:fs';
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

/** A tokenizer in native memory, of the thread that opened it. */
export type NativeTokenizer = object & { readonly kind?: 'tokenizer' };

/** What `native/addon.cpp` exports. */
export interface NativeEngine {
  kernels(): Kernel[];
  /** @param threads maximum threads that the process may keep busy with runs */
  open(path: string, kernel: string, threads: number): NativeModel;
  embed(
    model: NativeModel,
    ids: Int32Array,
    lengths: Int32Array,
    target: Float32Array,
    offset: number,
    useIdleCores: boolean,
  ): undefined;
  close(model: NativeModel): undefined;
  openTokenizer(units: Uint16Array, ends: Int32Array, ids: Int32Array, settings: Int32Array): NativeTokenizer;
  /** Returns the index of the first text without a finite vector, or -1. */
  embedStatic(
    rows: Float32Array,
    dim: number,
    ids: Int32Array,
    lengths: Int32Array,
    target: Float32Array,
    offset: number,
  ): number;
  /** Returns the number of ids; only those that fit into the target are written. */
  encode(tokenizer: NativeTokenizer, text: string, target: Int32Array): number;
}

/** Where `scripts/build.mjs` puts the addon. */
export const ADDON_PATH = fileURLToPath(new URL('./engine.node', import.meta.url));

let loaded: NativeEngine | undefined;

/**
 * The addon of this machine: the one that was built here, else that of the optional package for this platform.
 *
 * @throws EngineError `engine-unavailable` when there is neither, or neither can be loaded
 */
export function loadEngine(): NativeEngine {
  loaded ??= load();
  return loaded;
}

function load(): NativeEngine {
  const problems: string[] = [];
  const causes: unknown[] = [];
  for (const find of [findBuilt, findPrebuilt]) {
    try {
      const module: { exports: Partial<NativeEngine> } = { exports: {} };
      process.dlopen(module, find());
      return module.exports as NativeEngine;
    } catch (cause) {
      problems.push(messageOf(cause));
      causes.push(cause);
    }
  }
  throw new EngineError('engine-unavailable', `no exact engine for this machine: ${problems.join('; ')}`, {
    cause: new AggregateError(causes),
  });
}

function findBuilt(): string {
  if (existsSync(ADDON_PATH)) return ADDON_PATH;
  throw new Error(`"${ADDON_PATH}" was not built (npm run build needs g++ 11 or clang 14)`);
}

/** The addon of the optional package; only of our own version, because another one may compute other bytes. */
function findPrebuilt(): string {
  const name = prebuiltPackage();
  let manifest: URL;
  try {
    manifest = new URL(import.meta.resolve(`${name}/package.json`));
  } catch {
    throw new Error(`the package ${name} is not installed`);
  }
  const version = versionOf(manifest);
  const expected = versionOf(new URL('../package.json', import.meta.url));
  if (version !== expected) throw new Error(`${name} has version ${version}, expected ${expected}`);
  return fileURLToPath(new URL('./engine.node', manifest));
}

/** Name of the optional package for this platform, which `scripts/prebuilt.mjs` writes. */
export function prebuiltPackage(): string {
  return `@embedmill/engine-${process.platform}-${process.arch}${usesMusl() ? '-musl' : ''}`;
}

function usesMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return report.header.glibcVersionRuntime === undefined;
}

function versionOf(manifest: URL): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
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
