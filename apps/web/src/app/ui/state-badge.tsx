/** The state of a run as a word with a colour and a symbol. */

import type { RunState } from '@embedmill/contract';

const BADGES: Readonly<Record<RunState, { word: string; symbol: string }>> = {
  open: { word: 'receiving rows', symbol: '◌' },
  sealed: { word: 'running', symbol: '▶' },
  completed: { word: 'completed', symbol: '✓' },
  failed: { word: 'failed', symbol: '✕' },
  cancelled: { word: 'cancelled', symbol: '⏹' },
};

/** Renders the state of a run. */
export function StateBadge({ state }: { state: RunState }) {
  const { word, symbol } = BADGES[state];
  return (
    <span class={`badge badge-${state}`}>
      <span aria-hidden="true">{symbol}</span> {word}
    </span>
  );
}
