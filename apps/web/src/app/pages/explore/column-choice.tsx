/** The choice of the column that a view uses. */

import type { RunColumn } from '@embedmill/contract';
import { isUsable } from '../../explore/use-columns.ts';
import type { Explorer } from '../../explore/use-explorer.ts';

/** @param chosen the column in use */
export function ColumnChoice({
  label,
  kind,
  chosen,
  explorer: { columns, update },
}: {
  label: string;
  kind: RunColumn['kind'];
  chosen: string;
  explorer: Explorer;
}) {
  return (
    <label class="map-colors">
      {label}
      <select value={chosen} onChange={(event) => update({ by: event.currentTarget.value }, 'replace')}>
        {columns
          .filter((column) => column.kind === kind && isUsable(column))
          .map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
      </select>
    </label>
  );
}
