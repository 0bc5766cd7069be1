/** The meaning of the colours on the map; a category filters when it is clicked. */

import { dayOf, numberText } from '../../explore/describe-filter.ts';
import type { Legend } from '../../explore/point-colors.ts';
import type { Explorer } from '../../explore/use-explorer.ts';

/** @param column whose values have the colours */
export function LegendView({
  legend,
  column,
  explorer: { state, update },
}: {
  legend: Legend;
  column: string;
  explorer: Explorer;
}) {
  if (legend.kind === 'scale') {
    const text = legend.unit === 'date' ? dayOf : numberText;
    return (
      <p class="legend-scale">
        <span>{text(legend.min)}</span>
        <span
          class="legend-gradient"
          style={{ backgroundImage: `linear-gradient(to right, ${legend.colors.join(',')})` }}
          aria-hidden="true"
        />
        <span>{text(legend.max)}</span>
      </p>
    );
  }
  const filter = state.filters[column];
  const chosen = filter?.kind === 'in' ? filter.values.join('\n') : null;
  return (
    <ul class="legend-entries" aria-label={`Colours of ${column}`}>
      {legend.entries.map(({ name, color, values }) => (
        <li key={name}>
          <button
            type="button"
            class="legend-entry"
            disabled={values.length === 0}
            aria-pressed={values.length > 0 && chosen === values.join('\n')}
            onClick={() => {
              const { [column]: _, ...others } = state.filters;
              const isChosen = chosen === values.join('\n');
              update({ filters: isChosen ? others : { ...others, [column]: { kind: 'in', values } } });
            }}
          >
            <span class="legend-dot" style={{ backgroundColor: color }} aria-hidden="true" />
            {name === '' ? '(empty)' : name}
          </button>
        </li>
      ))}
    </ul>
  );
}
