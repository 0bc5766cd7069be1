/** Types of unicode-tables.mjs for the tests. */
export function unicodeTables(): string;
