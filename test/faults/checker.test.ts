/** What the fault tests judge runs by notices what it is there for. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { faultsOfResults, sentRows } from '../support/mill.ts';

const rows = sentRows(5);

function lineOf({ id, text }: { id: string; text: string }): string {
  const hash = createHash('sha256').update(text).digest();
  return `${JSON.stringify({ id, vector: Array.from({ length: 64 }, (_, i) => hash[i % 32]! / 255) })}\n`;
}
const lines = rows.map(lineOf);

describe('the checker of results', () => {
  it('accepts whole ones', () => {
    expect(faultsOfResults(rows, lines.join(''))).toEqual([]);
  });

  it('notices a lost row', () => {
    expect(faultsOfResults(rows, lines.toSpliced(2, 1).join('')).length).toBeGreaterThan(0);
    expect(faultsOfResults(rows, lines.slice(0, 4).join('')).length).toBeGreaterThan(0);
  });

  it('notices a doubled row', () => {
    expect(faultsOfResults(rows, lines.toSpliced(2, 0, lines[2]!).join('')).length).toBeGreaterThan(0);
    expect(faultsOfResults(rows, [...lines, lines[4]].join('')).length).toBeGreaterThan(0);
  });

  it('notices rows that changed places, and a vector of another text', () => {
    expect(faultsOfResults(rows, lines.toReversed().join('')).length).toBeGreaterThan(0);
    const swapped = lineOf({ id: rows[1]!.id, text: rows[2]!.text });
    expect(faultsOfResults(rows, lines.with(1, swapped).join(''))).toEqual([
      "row id-1 has another text's vector",
    ]);
  });
});
