/** Types of targets.mjs for the tests. */
export const KERNELS: Record<'x64' | 'arm64' | 'wasm32', Record<string, string[]>>;
export const ADDON_SOURCES: string[];
export function commandSources(arch: string): string[];
