/** Markdown tables, medians and percentiles. */

/**
 * Prints a Markdown table.
 * @param {string[]} head
 * @param {(string | number)[][]} rows
 */
export function printTable(head, rows) {
  const cells = [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...rows.map((row) => row.map(String))];
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  for (const [r, row] of cells.entries()) {
    const pad = (text, i) =>
      i === 0 ? text.padEnd(widths[i], r === 1 ? '-' : ' ') : text.padStart(widths[i], r === 1 ? '-' : ' ');
    console.log(`| ${row.map(pad).join(' | ')} |`);
  }
}

/** @param {number[]} values at least one */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number[]} values @param {number} p 0 to 100 */
export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))];
}
