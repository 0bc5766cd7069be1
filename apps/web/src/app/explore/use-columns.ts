/** Hooks that fetch the kept columns of a run and their values. */

import type { RunColumn, RunColumnValues } from '@embedmill/contract';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { requestJson } from '../api/client.ts';
import { useResource } from '../ui/use-resource.ts';
import { type ColumnValues, columnValuesOf } from './column-values.ts';

/** Returns the columns with one per name: those of the input before those of the run. */
export function useColumns(run: string): readonly RunColumn[] {
  const { value } = useResource<{ columns: RunColumn[] }>(`v1/runs/${run}/columns`);
  return useMemo(() => {
    const byName = new Map<string, RunColumn>();
    for (const column of value?.columns ?? []) {
      if (column.source === 'input' || !byName.has(column.name)) byName.set(column.name, column);
    }
    return [...byName.values()];
  }, [value]);
}

/** Whether rows can be filtered and coloured by a column: it has at least two values, which are no free text. */
export function isUsable({ kind, distinct }: RunColumn): boolean {
  return kind !== 'text' && distinct > 1;
}

/** Fetches the values of columns of one run; those that are still missing follow in a later rendering. */
export function useColumnValues(
  run: string,
  columns: readonly RunColumn[],
  names: readonly string[],
): { values: ReadonlyMap<string, ColumnValues>; error: unknown } {
  const [values, setValues] = useState<ReadonlyMap<string, ColumnValues>>(new Map());
  const [error, setError] = useState<unknown>(null);
  const missing = [...new Set(names)].filter(
    (name) => !values.has(name) && columns.some((column) => column.name === name && column.kind !== 'text'),
  );
  const wanted = JSON.stringify(missing);
  const requested = useRef(new Set<string>());
  useEffect(() => {
    for (const name of JSON.parse(wanted) as string[]) {
      if (requested.current.has(name)) continue;
      requested.current.add(name);
      requestJson<RunColumnValues>(`v1/runs/${run}/columns/${encodeURIComponent(name)}`).then(
        (reply) => {
          setValues((known) => new Map(known).set(name, columnValuesOf(reply)));
          setError(null);
        },
        (reason) => {
          requested.current.delete(name);
          setError(reason);
        },
      );
    }
  }, [run, wanted]);
  return { values, error };
}
