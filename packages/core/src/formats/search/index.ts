/** Exact search over vectors. */

export { dotRow } from './dot.ts';
export { type Hit, Nearest } from './nearest.ts';
export { scanRows, searchRows } from './scan.ts';
