/** Types of images.mjs, for tests. */

export const IMAGES: Readonly<Record<string, string>>;
export const IMAGE_PLATFORMS: readonly string[];
export function tagsOf(version: string): string[];
export function buildArguments(
  target: string,
  options: {
    version: string;
    revision: string;
    created: string;
    nodeImage: string;
    staged: string;
    digests: string;
    push: boolean;
  },
): string[];
export function tagArguments(target: string, version: string, digests: readonly string[]): string[];
