/** The first rows of a completed run that have no vector, each with its reason. */

import type { ReportRow } from '@embedmill/contract';
import { useEffect, useState } from 'preact/hooks';
import { request } from '../../api/client.ts';
import { count } from '../../ui/format.ts';
import { Failure } from '../../ui/states.tsx';

/** Rows in the table; the report has all. */
const SHOWN_ROWS = 20;

/** @param total rows without a vector */
export function MissingRows({ run, total }: { run: string; total: number }) {
  const [rows, setRows] = useState<readonly ReportRow[]>([]);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const unmounted = new AbortController();
    firstLines(`v1/runs/${run}/report`, SHOWN_ROWS, unmounted.signal).then(
      (lines) => setRows(lines.map((line) => JSON.parse(line) as ReportRow)),
      (reason) => {
        if (!unmounted.signal.aborted) setError(reason);
      },
    );
    return () => unmounted.abort();
  }, [run]);
  if (error !== null) return <Failure error={error} />;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable with the keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Rows without a vector">
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                Line
              </th>
              <th scope="col">Id</th>
              <th scope="col">Verdict</th>
              <th scope="col">Reason</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ id, line, verdict, message }, i) => (
              <tr key={i}>
                <td class="number">{count(line)}</td>
                <td class="nowrap">
                  <code>{id}</code>
                </td>
                <td>
                  <span class={`verdict verdict-${verdict}`}>{verdict}</span>
                </td>
                <td>{message}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {total > rows.length && (
        <p class="remark">
          The first {count(rows.length)} of {count(total)} rows; the report among the files has all.
        </p>
      )}
    </>
  );
}

/** Reads the first lines of a response and cancels the rest. */
async function firstLines(path: string, lines: number, signal: AbortSignal): Promise<string[]> {
  const response = await request(path, { signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    text += value ?? '';
    const found = text.split('\n');
    if (!done && found.length <= lines) continue;
    await reader.cancel();
    return found.filter((line) => line !== '').slice(0, lines);
  }
}
