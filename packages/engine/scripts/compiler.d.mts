/** Types of compiler.mjs for the tests. */
export function findCompiler(): Promise<{ command: string; version: string } | undefined>;
export function compileAll(options: {
  compiler: string;
  arch: 'x64' | 'arm64' | 'wasm32';
  folder: string;
  flags?: string[];
  sources: string[];
  kernels?: Record<string, string[]>;
}): Promise<string[]>;
export function link(compiler: string, objects: string[], output: string, flags?: string[]): Promise<void>;
/** Folder of node_api.h. */
export const nodeApiHeaders: string;
