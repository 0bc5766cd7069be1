/** Types of unicode-tables.mjs for the tests. */
export const UNICODE_VERSION: string;
export function unicodeTables(): string;
