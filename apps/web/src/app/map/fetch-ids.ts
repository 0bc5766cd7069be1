/** Fetches the ids of a run's first rows; the map finds labels in them. */

import type { RunInfo } from '@embedmill/contract';
import { request } from '../api/client.ts';

/** The ids of the first rows of a run; the rest is not read. */
export async function fetchIds(run: RunInfo, rows: number, signal: AbortSignal): Promise<string[]> {
  const answer = await request(`v1/runs/${run.id}/ids`, { signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const ids: string[] = [];
  let text = '';
  while (ids.length < rows) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) ids.push((JSON.parse(line) as { id: string }).id);
  }
  await reader.cancel();
  return ids.slice(0, rows);
}
