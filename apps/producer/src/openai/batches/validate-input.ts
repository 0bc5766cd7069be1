/** Checks a whole input file before any of it is embedded. */

import { type InputOptions, readInputLines } from './input-lines.ts';
import type { BatchFault } from './types.ts';

/** Maximum number of faults that a batch lists. */
const MAX_FAULTS = 100;

/** Facts about a valid file. */
export interface FileSummary {
  lines: number;
  /** Texts in all lines. */
  rows: number;
  /** Lines that go to the error file without being embedded; the journal stores the count under this name. */
  refused: number;
  model: string;
}

/** Either the first `MAX_FAULTS` faults, or a summary of a valid file. */
export type Validation = { faults: BatchFault[] } | { faults: null; summary: FileSummary };

/**
 * @param signal ends the validation with its reason
 * @throws file system errors
 */
export async function validateInput(
  path: string,
  input: InputOptions,
  { maxLines, signal }: { maxLines: number; signal: AbortSignal },
): Promise<Validation> {
  const faults: BatchFault[] = [];
  const seen = new Set<string>();
  const summary: FileSummary = { lines: 0, rows: 0, refused: 0, model: '' };
  for await (const lines of readInputLines(path, input)) {
    signal.throwIfAborted();
    for (const read of lines) {
      summary.lines += 1;
      if (summary.lines > maxLines) return { faults: [tooMany(maxLines)] };
      const fault = read.kind === 'fault' ? read.fault : faultWithOtherLines(read, seen, summary.model);
      if (fault !== null) {
        faults.push(fault);
        if (faults.length >= MAX_FAULTS) return { faults };
      }
      if (read.kind === 'fault') continue;
      seen.add(read.customId);
      summary.model ||= read.model;
      summary.rows += read.texts.length;
      if (read.rejection !== null) summary.refused += 1;
    }
  }
  if (summary.lines === 0)
    return {
      faults: [{ code: 'empty_file', message: 'The input file has no lines.', param: null, line: null }],
    };
  return faults.length > 0 ? { faults } : { faults: null, summary };
}

function faultWithOtherLines(
  { line, customId, model }: { line: number; customId: string; model: string },
  seen: ReadonlySet<string>,
  firstModel: string,
): BatchFault | null {
  if (seen.has(customId)) {
    const message = `The custom_id ${JSON.stringify(customId.slice(0, 100))} is used by another line.`;
    return { code: 'duplicate_custom_id', message, param: 'custom_id', line };
  }
  if (firstModel !== '' && model !== firstModel) {
    const message = `All lines must use the same model: the first has ${JSON.stringify(firstModel)}, this one ${JSON.stringify(model)}.`;
    return { code: 'model_mismatch', message, param: 'body.model', line };
  }
  return null;
}

function tooMany(maxLines: number): BatchFault {
  const message = `The input file has more than ${maxLines} lines, the maximum of this server.`;
  return { code: 'too_many_tasks', message, param: null, line: null };
}
