/**
 * Models that were measured with Embedmill, with what their files do not state.
 *
 * Figures are measured here or null; docs/choosing-a-model.md has commands, machine and date.
 */

import type { ModelPrompts } from './treatment.ts';

/** A model of the catalogue. */
export interface CatalogueModel {
  /** Name for `--model` and `model pull`. */
  name: string;
  /** `owner/name` on the hub; `null` for the built-in model. */
  repository: string | null;
  languages: string;
  dim: number;
  maxTokens: number;
  prompts: ModelPrompts;
  /** SPDX identifier. */
  license: string;
  /** Millions of parameters: fp32 weights have four megabytes for each. */
  parameters: number;
  /** Tokens per second of int8 relative to the built-in model in the same process; null if not measured. */
  relativeSpeed: number | null;
  /** Spearman correlation on STS-B dev (English), int8; null if not measured. */
  stsb: number | null;
  /** What limits the figures; empty for nothing. */
  note: string;
}

const NONE: ModelPrompts = { query: '', document: '' };

/** The catalogue; the built-in model first. */
export const CATALOGUE: readonly CatalogueModel[] = [
  {
    name: 'all-MiniLM-L6-v2',
    repository: null,
    languages: 'English',
    dim: 384,
    maxTokens: 256,
    prompts: NONE,
    license: 'Apache-2.0',
    parameters: 23,
    relativeSpeed: 1,
    stsb: 0.867,
    note: '',
  },
  {
    name: 'multilingual',
    repository: 'intfloat/multilingual-e5-small',
    languages: 'about 100, across languages',
    dim: 384,
    maxTokens: 512,
    prompts: { query: 'query: ', document: 'passage: ' },
    license: 'MIT',
    parameters: 118,
    relativeSpeed: 0.51,
    stsb: 0.871,
    note: 'measured with weights that went through 4 bits, so the quality is a lower bound',
  },
  {
    name: 'chinese',
    repository: 'BAAI/bge-small-zh-v1.5',
    languages: 'Chinese',
    dim: 512,
    maxTokens: 512,
    prompts: { query: '为这个句子生成表示以用于检索相关文章：', document: '' },
    license: 'MIT',
    parameters: 24,
    relativeSpeed: 0.91,
    stsb: 0.687,
    note: '',
  },
];

/** The entry with this name; undefined if there is none. */
export function catalogueModel(name: string): CatalogueModel | undefined {
  return CATALOGUE.find((model) => model.name === name && model.repository !== null);
}

/** The entry of a repository, by `owner/name` or by the name alone, as folders are called. */
export function catalogueModelOf(repository: string): CatalogueModel | undefined {
  return CATALOGUE.find(
    (model) => model.repository === repository || model.repository?.split('/')[1] === repository,
  );
}
