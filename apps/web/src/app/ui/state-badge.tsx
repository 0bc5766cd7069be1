/** The state of a run in a word of the pages, with a colour and a sign besides. */

import type { RunState } from '@embedmill/contract';

const SHOWN: Readonly<Record<RunState, { word: string; sign: string }>> = {
  open: { word: 'receiving rows', sign: '◌' },
  sealed: { word: 'running', sign: '▶' },
  completed: { word: 'completed', sign: '✓' },
  failed: { word: 'failed', sign: '✕' },
  cancelled: { word: 'cancelled', sign: '⏹' },
};

export function StateBadge({ state }: { state: RunState }) {
  const { word, sign } = SHOWN[state];
  return (
    <span class={`badge badge-${state}`}>
      <span aria-hidden="true">{sign}</span> {word}
    </span>
  );
}
