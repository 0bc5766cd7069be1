/** Decides whether an invocation may resume an earlier one: same input, same rows, same vectors. */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { UNTREATED } from '@embedmill/contract';
import { ROW_DEFAULTS } from '@embedmill/core/formats';
import type { EmbedFileRequest } from './request.ts';

/** Identifies the files of an input by their contents and order, independent of their paths. */
export interface InputIdentity {
  /** Total size of the files, compressed or not. */
  bytes: number;
  /** SHA-256 over the first and the last MiB, in hexadecimal; of several files, over their sizes and hashes. */
  sha256: string;
}

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

/** Bytes hashed at each end of a file. */
const EDGE_BYTES = 1024 * 1024;

/** Identifies the files of an input. */
export async function identifyFiles(paths: readonly string[]): Promise<InputIdentity> {
  const files: InputIdentity[] = [];
  for (const path of paths) files.push(await identifyFile(path));
  const [only] = files;
  if (files.length === 1 && only !== undefined) return only;
  const hash = createHash('sha256');
  for (const { bytes, sha256 } of files) hash.update(`${bytes} ${sha256}\n`);
  return { bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), sha256: hash.digest('hex') };
}

/**
 * Hashes both ends of a file. This detects most changes at a fixed cost, even for 100 GB; later every part is
 * compared with its receipt.
 */
export async function identifyFile(path: string): Promise<InputIdentity> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256');
    for (const start of [0, Math.max(EDGE_BYTES, size - EDGE_BYTES)]) {
      const edge = Buffer.alloc(Math.max(0, Math.min(EDGE_BYTES, size - start)));
      const { bytesRead } = await file.read(edge, 0, edge.length, start);
      hash.update(edge.subarray(0, bytesRead));
    }
    return { bytes: size, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/**
 * The options to compare.
 * @param format of the first file
 * @param glossary hash of the glossary's terms, if there is one
 */
export function choicesOf(request: EmbedFileRequest, format: string, glossary: string | null): RowChoices {
  const { choices, limit, precision, truncate, treatment, model, server } = request;
  return {
    format,
    text: choices.textField ?? ROW_DEFAULTS.textField,
    id: choices.idField ?? ROW_DEFAULTS.idField,
    delimiter: choices.delimiter ?? null,
    quote: choices.quote === null ? 'none' : (choices.quote ?? null),
    header: choices.header ?? null,
    charset: choices.charset ?? null,
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
