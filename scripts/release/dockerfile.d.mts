/** Types of dockerfile.mjs, for tests. */

export function dockerfileProblems(text: string, targets: readonly string[]): string[];
