/** Describes models: as a row of the list, or as a table of values and their sources. */

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ModelPrompts, ModelRecord } from '@embedmill/contract';
import type { PreparedModel } from '@embedmill/embed';
import { type ModelFactsFile, readRecord } from '@embedmill/embed/added-models';
import { formatBytes } from '../../shell/terminal/numbers.ts';

/** A model in one precision, as printed by `--json`. */
export interface ModelFacts
  extends Pick<
    PreparedModel,
    | 'name'
    | 'precision'
    | 'engine'
    | 'fingerprint'
    | 'dim'
    | 'maxTokens'
    | 'pooling'
    | 'modelPath'
    | 'prompts'
    | 'sources'
  > {
  /** Size of the file that the engine opens. */
  bytes: number;
  /** Repository, revision and commit; null for the built-in model and folders. */
  origin: Pick<ModelRecord, 'repository' | 'revision' | 'commit' | 'endpoint'> | null;
  /** What `model add` measured; `null` for a folder that was not added. */
  measured: ModelFactsFile | null;
}

/** Collects the facts of a prepared model. */
export async function factsOf(model: PreparedModel, measured: ModelFactsFile | null): Promise<ModelFacts> {
  const { name, precision, engine, fingerprint, dim, maxTokens, pooling, modelPath, prompts, sources } =
    model;
  const { size: bytes } = await stat(modelPath);
  const record = readRecord(dirname(model.tokenizerPath));
  const origin = record && {
    repository: record.repository,
    revision: record.revision,
    commit: record.commit,
    endpoint: record.endpoint,
  };
  return {
    name,
    precision,
    engine,
    fingerprint,
    dim,
    maxTokens,
    pooling,
    prompts,
    bytes,
    modelPath,
    origin,
    sources,
    measured,
  };
}

/** Column headings of {@link listRow}. */
export const LIST_HEAD = ['MODEL', 'PRECISION', 'ENGINE', 'DIM', 'TOKENS', 'POOLING', 'SIZE', 'FINGERPRINT'];

/** A row of the list. */
export function listRow({
  name,
  precision,
  engine,
  dim,
  maxTokens,
  pooling,
  bytes,
  fingerprint,
}: ModelFacts): string[] {
  return [name, precision, engine, String(dim), String(maxTokens), pooling, formatBytes(bytes), fingerprint];
}

/** Rows of two cells: name, and value with its source. */
export function infoRows(facts: ModelFacts): string[][] {
  const { sources } = facts;
  return [
    ['model', `${facts.name} ${facts.precision}`],
    ['engine', sources.engine],
    ['dimension', `${facts.dim} (output of the model)`],
    ['limit', `${facts.maxTokens} tokens (${sources.maxTokens})`],
    ['pooling', `${facts.pooling} (${sources.pooling})`],
    ['prompts', `${describePrompts(facts.prompts)} (${sources.prompts})`],
    ...(facts.origin?.commit ? [['origin', `${facts.origin.repository} at ${facts.origin.commit}`]] : []),
    ['weights', `${formatBytes(facts.bytes)} (${sources.weights})`],
    ['file', facts.modelPath],
    ['fingerprint', facts.fingerprint],
    ...(facts.measured === null ? [] : measuredRows(facts.measured)),
  ];
}

function measuredRows({ languages, baseline: { mean, spread } }: ModelFactsFile): string[][] {
  return [
    ['languages', languages.join(', ') || 'none of eight that were measured'],
    ['unrelated', `cosine ${mean.toFixed(2)} ± ${spread.toFixed(2)}`],
  ];
}

/** The prompts of a model in one cell. */
export function describePrompts({ query, document }: ModelPrompts): string {
  const prompts = [
    ...(query === '' ? [] : [`query ${JSON.stringify(query)}`]),
    ...(document === '' ? [] : [`document ${JSON.stringify(document)}`]),
  ];
  return prompts.join(', ') || 'none';
}
