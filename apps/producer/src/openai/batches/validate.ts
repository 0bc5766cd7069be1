/** Checks a whole input file before any of it is embedded; a batch calls it once. */

import { type LineRules, readInputLines } from './lines.ts';
import type { BatchFault } from './types.ts';

/** Faults that a batch lists. */
const MAX_FAULTS = 100;

/** What is known of a file that can be used. */
export interface FileSummary {
  lines: number;
  /** Texts in all lines together. */
  rows: number;
  /** Lines that go to the error file without being embedded. */
  refused: number;
  model: string;
}

/** Either faults, the first `MAX_FAULTS`, or a summary. */
export type Validation = { faults: BatchFault[] } | { faults: null; summary: FileSummary };

/**
 * @param signal ends the reading with its reason
 * @throws what reading the file throws
 */
export async function validateInput(
  path: string,
  rules: LineRules,
  { maxLines, signal }: { maxLines: number; signal: AbortSignal },
): Promise<Validation> {
  const faults: BatchFault[] = [];
  const seen = new Set<string>();
  const summary: FileSummary = { lines: 0, rows: 0, refused: 0, model: '' };
  for await (const lines of readInputLines(path, rules)) {
    signal.throwIfAborted();
    for (const read of lines) {
      summary.lines += 1;
      if (summary.lines > maxLines) return { faults: [tooMany(maxLines)] };
      const fault = read.kind === 'fault' ? read.fault : faultAmongOthers(read, seen, summary.model);
      if (fault !== null) {
        faults.push(fault);
        if (faults.length >= MAX_FAULTS) return { faults };
      }
      if (read.kind === 'fault') continue;
      seen.add(read.customId);
      summary.model ||= read.model;
      summary.rows += read.texts.length;
      if (read.refusal !== null) summary.refused += 1;
    }
  }
  if (summary.lines === 0)
    return {
      faults: [{ code: 'empty_file', message: 'The input file has no lines.', param: null, line: null }],
    };
  return faults.length > 0 ? { faults } : { faults: null, summary };
}

function faultAmongOthers(
  { line, customId, model }: { line: number; customId: string; model: string },
  seen: ReadonlySet<string>,
  firstModel: string,
): BatchFault | null {
  if (seen.has(customId)) {
    const message = `The custom_id ${JSON.stringify(customId.slice(0, 100))} is that of another line too.`;
    return { code: 'duplicate_custom_id', message, param: 'custom_id', line };
  }
  if (firstModel !== '' && model !== firstModel) {
    const message = `All lines must have one model: the first has ${JSON.stringify(firstModel)}, this one ${JSON.stringify(model)}.`;
    return { code: 'model_mismatch', message, param: 'body.model', line };
  }
  return null;
}

function tooMany(maxLines: number): BatchFault {
  const message = `The input file has more than ${maxLines} lines, the limit of this producer.`;
  return { code: 'too_many_tasks', message, param: null, line: null };
}
