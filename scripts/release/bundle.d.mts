/** Types of bundle.mjs, for tests. */

import type { Metafile } from 'esbuild';

export const COPIED: readonly string[];
export const INSTALLED: readonly string[];
export const NEVER_NEEDED: readonly string[];
export function bundle(folder: string): Promise<Metafile>;
