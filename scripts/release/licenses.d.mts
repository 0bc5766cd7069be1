/** Types of licenses.mjs, for tests. */

import type { Metafile } from 'esbuild';

/** A package inside a bundle. */
export interface BundledPackage {
  name: string;
  version: string;
  license: string;
  text: string;
}

export function licensesOf(metafile: Metafile, copied: readonly string[]): BundledPackage[];
export function licenseFile(packages: readonly BundledPackage[]): string;
export function isAllowed(expression: string): boolean;
