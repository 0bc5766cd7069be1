/** Formats an evaluation as a Markdown table. */

import { formatTable } from '../../shell/terminal/table.ts';
import type { Evaluation } from './evaluate.ts';

/** One line per measure, one column per model. */
export function markdownOf({ models, tasks }: Evaluation): string[] {
  const head = ['task', 'data', 'measure', ...models];
  const lines = tasks.flatMap(({ kind, name, size, measures }) =>
    (measures[0] ?? []).map((measure, n) => [
      n === 0 ? kind : '',
      n === 0 ? `${name}: ${size}` : '',
      measure.name,
      ...measures.map((ofModel) => ofModel[n]!.value.toFixed(4)),
    ]),
  );
  const isFigure = (column: number) => column >= 3;
  const rule = head.map((_, column) => (isFigure(column) ? '--:' : '---'));
  const figures = head.map((_, column) => column).filter(isFigure);
  // `formatTable` never pads the last column, so the bars are columns of their own.
  const barred = [head, rule, ...lines].map((cells) => ['|', ...cells.flatMap((cell) => [cell, '|'])]);
  return formatTable(
    barred,
    figures.map((column) => 1 + column * 2),
  ).map((line) => line.replaceAll(/ {2}\|/g, ' |').replaceAll(/\| {2}/g, '| '));
}
