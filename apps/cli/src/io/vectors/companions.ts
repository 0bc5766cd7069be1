/** Paths of the files beside an output of vectors: ids, scales and the report. */

import { basename, dirname, join } from 'node:path';

/** `out.npy` → `out.ids.jsonl`, because .npy has no column for ids. */
export function idsPath(outputPath: string): string {
  return join(dirname(outputPath), `${basename(outputPath).replace(/\.npy$/i, '')}.ids.jsonl`);
}

/** `out.npy` → `out.scales.npy`, for the scale of each int8 row. */
export function scalesPath(outputPath: string): string {
  return join(dirname(outputPath), `${basename(outputPath).replace(/\.npy$/i, '')}.scales.npy`);
}

/** `out.npy` → `out.npy.report.jsonl`, for rows without vectors. */
export function reportPath(outputPath: string): string {
  return `${outputPath}.report.jsonl`;
}
