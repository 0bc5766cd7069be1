/** Decides whether an invocation may resume an earlier one: same input, same rows, same vectors. */

import { UNTREATED } from '@embedmill/contract';
import { ROW_DEFAULTS } from '@embedmill/core/formats';
import type { VectorOptions } from '../../io/append/row-index.ts';
import type { InputIdentity } from '../../io/sources/types.ts';
import type { EmbedFileRequest } from './request.ts';

/**
 * The options that determine the rows and their vectors. Stored in the note, under the names of the options.
 */
export interface RowChoices {
  format: string;
  text: string;
  id: string;
  /** How the input is split and decoded; each `null` if left to the plan, as in notes of earlier versions. */
  delimiter: string | null;
  quote: string | null;
  header: boolean | null;
  charset: string | null;
  /** SQL; `null` without, as in notes of earlier versions. */
  query: string | null;
  limit: number | null;
  precision: string;
  truncate: string;
  /** Text treatment; each `null` if unset, as in notes of earlier versions. */
  clean: string | null;
  long: string | null;
  prompt: string | null;
  /** Hash of the terms. */
  glossary: string | null;
  model: string | null;
  server: string | null;
}

/**
 * The options to compare.
 * @param format of the first file
 * @param glossary hash of the glossary's terms, if there is one
 */
export function choicesOf(request: EmbedFileRequest, format: string, glossary: string | null): RowChoices {
  const { choices, query, limit, precision, truncate, treatment, model, server } = request;
  return {
    format,
    text: choices.textField ?? ROW_DEFAULTS.textField,
    id: choices.idField ?? ROW_DEFAULTS.idField,
    delimiter: choices.delimiter ?? null,
    quote: choices.quote === null ? 'none' : (choices.quote ?? null),
    header: choices.header ?? null,
    charset: choices.charset ?? null,
    query,
    limit,
    precision,
    truncate,
    clean: treatment.clean.join(',') || null,
    long: treatment.long === UNTREATED.long ? null : treatment.long,
    prompt: treatment.prompt || (treatment.inputType === 'none' ? '' : null),
    glossary,
    model,
    server,
  };
}

/** The options that determine the vectors, besides the model. Stored in the row index. */
export function vectorOptionsOf(request: EmbedFileRequest, glossary: string | null): VectorOptions {
  const { precision, truncate, clean, long, prompt } = choicesOf(request, '', null);
  const { dtype, dimensions } = request.output;
  return { precision, truncate, clean, long, prompt, glossary, dtype, dimensions };
}

/** Describes the differences between two invocations; empty if the second may resume the first. */
export function describeDifferences(
  before: { input: InputIdentity | null; choices: RowChoices },
  now: { input: InputIdentity | null; choices: RowChoices },
): string[] {
  const differences: string[] = [];
  const [old, current] = [before.input, now.input];
  if ((old === null) !== (current === null)) {
    differences.push(
      old === null ? 'the input was stdin, now it is a file' : 'the input was a file, now it is stdin',
    );
  } else if (old?.bytes !== current?.bytes) {
    differences.push(`the input had ${old?.bytes} bytes, now it has ${current?.bytes}`);
  } else if (old?.sha256 !== current?.sha256) {
    differences.push('the contents of the input have changed');
  }
  for (const [name, other] of Object.entries(now.choices)) {
    const value = before.choices[name as keyof RowChoices] ?? null;
    if (value !== other) differences.push(`--${name} was ${display(value)}, now it is ${display(other)}`);
  }
  return differences;
}

function display(value: string | number | boolean | null): string {
  return value === null ? 'not given' : String(value);
}
