/** What `embedmill model` tells of a model: one line of the list, or every fact with the file that states it. */

import { stat } from 'node:fs/promises';
import type { PreparedModel } from '@embedmill/embed';
import { formatBytes } from '../../shell/terminal/numbers.ts';

/** The facts of a model in one precision, as `--json` prints them. */
export interface ModelFacts
  extends Pick<
    PreparedModel,
    'name' | 'precision' | 'fingerprint' | 'dim' | 'maxTokens' | 'pooling' | 'modelPath' | 'sources'
  > {
  /** Size of the ONNX file. */
  bytes: number;
}

export async function factsOf(model: PreparedModel): Promise<ModelFacts> {
  const { name, precision, fingerprint, dim, maxTokens, pooling, modelPath, sources } = model;
  const { size: bytes } = await stat(modelPath);
  return { name, precision, fingerprint, dim, maxTokens, pooling, bytes, modelPath, sources };
}

/** The head of the list; its columns are those of {@link listRow}. */
export const LIST_HEAD = ['MODEL', 'PRECISION', 'DIM', 'TOKENS', 'POOLING', 'SIZE', 'FINGERPRINT'];

export function listRow({
  name,
  precision,
  dim,
  maxTokens,
  pooling,
  bytes,
  fingerprint,
}: ModelFacts): string[] {
  return [name, precision, String(dim), String(maxTokens), pooling, formatBytes(bytes), fingerprint];
}

/** Rows of two cells: what, and the value with its source. */
export function infoRows(facts: ModelFacts): string[][] {
  const { sources } = facts;
  return [
    ['model', `${facts.name} ${facts.precision}`],
    ['dimension', `${facts.dim} (the model's output)`],
    ['limit', `${facts.maxTokens} tokens (${sources.maxTokens})`],
    ['pooling', `${facts.pooling} (${sources.pooling})`],
    ['weights', `${formatBytes(facts.bytes)} (${sources.weights})`],
    ['file', facts.modelPath],
    ['fingerprint', facts.fingerprint],
  ];
}
