/** Tells whether a call continues the one before: the same input, read in the same way, for the same vectors. */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { UNTREATED } from '@embedmill/contract';
import type { EmbedRequest } from './request.ts';

/** What is known of an input without reading it all; wherever the file lies. `null` for stdin, of which nothing is known. */
export interface InputIdentity {
  /** Bytes of the file as it is, packed or not. */
  bytes: number;
  /** SHA-256 over the first and the last MiB, in hexadecimal. */
  sha256: string;
}

/** The options that decide which rows there are and what their vectors are. */
export interface RowChoices {
  format: string;
  text: string;
  id: string;
  limit: number | null;
  precision: string;
  truncate: string;
  /** Treatment of the texts; each `null` where there is none, so that a note of an earlier version says the same. */
  clean: string | null;
  long: string | null;
  prompt: string | null;
  /** Hash over the terms. */
  glossary: string | null;
  model: string | null;
  server: string | null;
}

const EDGE_BYTES = 1024 * 1024;

/** Looks at both ends of a file: enough to notice another file, cheap for one of 100 GB. Parts are compared in full later. */
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
 * The choices of a request.
 * @param glossary hash over the terms of its glossary, if it has one
 */
export function choicesOf(request: EmbedRequest, glossary: string | null): RowChoices {
  const { input, textField, idField, limit, precision, truncate, treatment, model, server } = request;
  return {
    format: input.format,
    text: textField,
    id: idField,
    limit,
    precision,
    truncate,
    clean: treatment.clean.join(',') || null,
    long: treatment.long === UNTREATED.long ? null : treatment.long,
    prompt: treatment.prompt || null,
    glossary,
    model,
    server,
  };
}

/** What differs between two calls, in words; empty when the second continues the first. */
export function describeDifferences(
  before: { input: InputIdentity | null; choices: RowChoices },
  now: { input: InputIdentity | null; choices: RowChoices },
): string[] {
  const differences: string[] = [];
  const [old, current] = [before.input, now.input];
  if ((old === null) !== (current === null)) {
    differences.push(
      old === null ? 'the input was stdin and is a file now' : 'the input was a file and is stdin now',
    );
  } else if (old?.bytes !== current?.bytes) {
    differences.push(`the input had ${old?.bytes} bytes and has ${current?.bytes} now`);
  } else if (old?.sha256 !== current?.sha256) {
    differences.push('the input has other contents');
  }
  for (const [name, other] of Object.entries(now.choices)) {
    const value = before.choices[name as keyof RowChoices] ?? null;
    if (value !== other) differences.push(`--${name} was ${shown(value)} and is ${shown(other)} now`);
  }
  return differences;
}

function shown(value: string | number | null): string {
  return value === null ? 'not given' : String(value);
}
