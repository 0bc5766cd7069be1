/** Asks the producer how a file would be read: the same judgement as that of the command. */

import type { PlanChoices, ReadingPlan } from '@embedmill/core/formats';
import { requestJson } from '../api/client.ts';
import { readingQuery } from './reading-query.ts';

export type { PlanChoices, ReadingPlan } from '@embedmill/core/formats';

/** Bytes of the file that are sent: enough for several hundred rows. */
const SAMPLE_BYTES = 256 * 1024;

/**
 * Returns the reading plan of a file.
 * @param choices what the user decided; the plan keeps it
 */
export function inspectFile(file: File, choices: PlanChoices, signal?: AbortSignal): Promise<ReadingPlan> {
  const sample = file.slice(0, SAMPLE_BYTES);
  const query = new URLSearchParams({
    name: file.name,
    complete: String(sample.size === file.size),
    ...readingQuery(choices),
  });
  for (const field of ['format', 'textField', 'idField'] as const) {
    const chosen = choices[field];
    if (chosen !== undefined) query.set(field, chosen);
  }
  return requestJson<ReadingPlan>(`v1/inspect?${query}`, {
    method: 'POST',
    body: sample,
    contentType: 'application/octet-stream',
    ...(signal === undefined ? {} : { signal }),
  });
}
