/** Reads the committed table of activation maxima that the smoothing of the built-in model needs. */
import { readFile } from 'node:fs/promises';

/** Largest magnitude per channel of each linear layer's input, over the calibration sentences. */
export interface LayerMaxima {
  /** Input of query, key and value. */
  attention: number[];
  attentionOutput: number[];
  intermediate: number[];
  output: number[];
}

/** Where the table is: written by `scripts/calibrate.mjs` from `data/calibration-sentences.txt`. */
export const ACTIVATION_MAXIMA_PATH = new URL('../../../data/activation-maxima.json', import.meta.url);

export async function readActivationMaxima(): Promise<LayerMaxima[]> {
  const table: { layers: LayerMaxima[] } = JSON.parse(await readFile(ACTIVATION_MAXIMA_PATH, 'utf8'));
  return table.layers;
}
