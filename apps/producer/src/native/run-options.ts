/** Fills the options of a run from what a caller gave and from the settings of the producer; runs and batches begin with it. */

import { type RunOptions, treatmentOf } from '@embedmill/contract';
import type { Config } from '@embedmill/core/process';
import type { z } from 'zod';
import { modelOf } from '../model.ts';
import type { createRunBody } from './schemas.ts';

/**
 * Options with nothing left out.
 * @param glossary id of the body's glossary, if it has one
 */
export function fillOptions(
  body: z.output<typeof createRunBody>,
  config: Config,
  glossary: string | null = null,
): RunOptions {
  return {
    name: body.name ?? null,
    model: body.model ?? modelOf(config),
    precision: body.precision,
    truncate: body.truncate,
    ...treatmentOf({ ...body, glossary }),
    batchRows: body.batchRows ?? config.batchRows,
    batchTokens: body.batchTokens ?? config.batchTokens,
  };
}
