/** Types of manifests.mjs, for tests. */

/** A manifest that is published. */
export interface PublishedManifest {
  name: string;
  version: string;
  license: string;
  exports: Record<string, unknown>;
  dependencies: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  publishConfig: { access: string; provenance: boolean };
}

export const ON_DEMAND: readonly string[];
export function commandManifest(installed: readonly string[]): PublishedManifest;
export function libraryManifest(folder: string): PublishedManifest;
export function manifestOf(folder: string): { version: string };
