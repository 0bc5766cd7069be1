/** Reads the recorded activation maxima of the built-in model, which smoothing needs. */

import { readFile } from 'node:fs/promises';

/** Maximum magnitude per channel of the inputs of a layer's linear parts, over the calibration sentences. */
export interface LayerMaxima {
  /** Input of query, key and value. */
  attention: number[];
  attentionOutput: number[];
  intermediate: number[];
  output: number[];
}

/** Path of the table, which `scripts/calibrate.mjs` writes from `data/calibration-sentences.txt`. */
export const ACTIVATION_MAXIMA_PATH = new URL('../../../data/activation-maxima.json', import.meta.url);

/** Returns the recorded maxima, one entry per layer. */
export async function readActivationMaxima(): Promise<LayerMaxima[]> {
  const table: { layers: LayerMaxima[] } = JSON.parse(await readFile(ACTIVATION_MAXIMA_PATH, 'utf8'));
  return table.layers;
}
