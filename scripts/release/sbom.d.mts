/** Types of sbom.mjs, for tests. */

import type { BundledPackage } from './licenses.mjs';
import type { PublishedManifest } from './manifests.mjs';

/** A document in CycloneDX. */
export interface Sbom {
  bomFormat: string;
  metadata: { component: { name: string; version: string } };
  components: { name: string; purl: string }[];
}

export function sbomOf(bundled: readonly BundledPackage[], manifest: PublishedManifest): Promise<Sbom>;
