/** The options of requests that embed texts: schemas, and defaults from the producer's settings. */

import {
  CLEAN_STEPS,
  INPUT_TYPES,
  type InputType,
  LONG_TEXTS,
  type LongTexts,
  MAX_GLOSSARY_TERMS,
  MAX_PROMPT_CHARS,
  MAX_TERM_CHARS,
  type RunOptions,
  scriptOfLanguage,
  servedModelName,
  treatmentOf,
} from '@embedmill/contract';
import { type Config, MAX_KEEP_DAYS } from '@embedmill/core/process';
import * as z from 'zod';
import { modelOf, workerModelOf } from './models.ts';

/** A name of a run or model. No control characters, because it becomes part of file names and log lines. */
const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u, 'expected no control characters');

/** A regular expression, which JSON Schema can express; the type is what matches it. */
export const longTexts = z
  .string()
  .regex(
    LONG_TEXTS,
    'expected truncate, mean, plain-mean or max-chunks=N',
  ) as z.ZodType<unknown> as z.ZodType<LongTexts>;

/** Name, repository or short name of a model; the value is the name under which workers serve it. */
export const modelName = name.transform(servedModelName);

/** Fields of every request that embeds texts: model, precision and treatment. */
export const embedFields = {
  model: modelName
    .optional()
    .describe(
      "Model that the workers must serve: its name, repository or short name. Default: the producer's model.",
    ),
  precision: z.enum(['int8', 'fp32']).default('int8').describe('Arithmetic of the linear layers.'),
  truncate: z
    .enum(['end', 'start', 'error'])
    .default('end')
    .describe('Which end of an over-long text to cut, or `error` to fail the row.'),
  clean: z
    .array(z.enum(CLEAN_STEPS))
    .max(CLEAN_STEPS.length)
    .default([])
    .describe('Cleaning steps, in any order; docs/treatment.md describes each step.'),
  long: longTexts
    .default('truncate')
    .describe('How to embed texts over the token limit: truncated, or as the mean of their chunks.'),
  prompt: z
    .string()
    .max(MAX_PROMPT_CHARS)
    .default('')
    .describe('Text prepended to every text, instead of the prompt that the model has for the input type.'),
  inputType: z
    .enum(INPUT_TYPES)
    .default('document')
    .describe(
      'What the texts are used for: selects the prompt of the model, if it has any; `none` for no prompt.',
    ),
};

const glossaryText = z.string().max(MAX_TERM_CHARS);

const glossaryLanguage = z
  .string()
  .max(35)
  .refine(
    (tag) => scriptOfLanguage(tag) !== undefined,
    'expected a language tag such as zh, ja, th, ru or en',
  );

/** Body of `POST /v1/runs`; omitted options take their defaults from the producer's settings. */
export const createRunBody = z.strictObject({
  name: name.optional().describe('Display name; need not be unique.'),
  ...embedFields,
  glossary: z
    .array(
      z.union([
        z.tuple([glossaryText.min(1), glossaryText]),
        z.tuple([glossaryText.min(1), glossaryText, z.enum(['exact', 'any'])]),
        z.tuple([glossaryText.min(1), glossaryText, z.enum(['exact', 'any']).nullable(), glossaryLanguage]),
      ]),
    )
    .max(MAX_GLOSSARY_TERMS)
    .optional()
    .describe(
      'Terms and their plain wording: [term, wording], or [term, wording, "exact" | "any"] to set whether the case must match; ' +
        '[term, wording, "exact" | "any" | null, "zh"] for texts in the script of a language only.',
    ),
  batchRows: z
    .int()
    .min(1)
    .max(4096)
    .optional()
    .describe('Maximum rows per batch. Default: by the measured rate of the workers.'),
  batchTokens: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Maximum estimated tokens per batch. Default: by the measured rate of the workers.'),
  keepDays: z
    .int()
    .min(1)
    .max(MAX_KEEP_DAYS)
    .nullable()
    .optional()
    .describe('Days after its end until the producer deletes the run. Default: `EMBEDMILL_KEEP_RUNS_DAYS`.'),
});

/**
 * Complete options for a run.
 * @param glossary id of the glossary in the body, if it has one
 */
export function runOptions(
  body: z.output<typeof createRunBody>,
  config: Config,
  glossary: string | null = null,
): RunOptions {
  return {
    name: body.name ?? null,
    model: body.model === undefined ? modelOf(config) : workerModelOf(body.model, config),
    precision: body.precision,
    truncate: body.truncate,
    ...treatmentOf({ ...body, glossary }),
    batchRows: body.batchRows ?? config.batchRows ?? null,
    batchTokens: body.batchTokens ?? config.batchTokens ?? null,
  };
}

/** Options for a run with the given name and input type, and defaults for everything else. */
export function defaultRunOptions(name: string, inputType: InputType, config: Config): RunOptions {
  return runOptions(createRunBody.parse({ name, inputType }), config);
}
