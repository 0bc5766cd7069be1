/** Describes the models of the catalogue as rows of a table. */

import type { CatalogueModel } from '@embedmill/contract';
import { formatBytes } from '../../shell/terminal/numbers.ts';
import { describePrompts } from './describe.ts';

/** Column headings of {@link catalogueRow}. */
export const CATALOGUE_HEAD = [
  'MODEL',
  'REPOSITORY',
  'LANGUAGES',
  'DIM',
  'TOKENS',
  'FP32 SIZE',
  'SPEED',
  'STS-B',
  'LICENCE',
  'PROMPTS',
];

/** Columns that hold numbers. */
export const CATALOGUE_NUMBERS = [3, 4, 5, 6, 7];

/** Printed below the table. */
export const CATALOGUE_NOTE =
  'SPEED: tokens per second in int8, built-in model = 1. STS-B: Spearman correlation, English. -: not measured.';

const BYTES_PER_MILLION = 4_000_000;

/** A row of the catalogue. */
export function catalogueRow(model: CatalogueModel): string[] {
  return [
    model.name,
    model.repository ?? 'built in',
    model.languages,
    String(model.dim),
    String(model.maxTokens),
    formatBytes(model.parameters * BYTES_PER_MILLION),
    model.relativeSpeed?.toFixed(2) ?? '-',
    model.stsb?.toFixed(3) ?? '-',
    model.license,
    describePrompts(model.prompts),
  ];
}
