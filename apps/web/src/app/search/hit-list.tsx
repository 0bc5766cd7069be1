/** The hits of a search: scores, texts with marked words, and why each was found. */

import { NARROW_BAND_MEAN, type ScoreBaseline, type SearchHit, type SearchMode } from '@embedmill/contract';
import { count } from '../ui/format.ts';
import { Empty } from '../ui/states.tsx';
import { MarkedText } from './marked-text.tsx';
import type { RunSearch } from './use-run-search.ts';

const MISSING: Readonly<Record<SearchMode, string>> = {
  hybrid: 'No row has a vector or a word of the question.',
  vector: 'The question contains no text that the model can embed, or no row matches.',
  words: 'No row has a word of the question.',
};

/** Hits that "Show more" adds. */
const MORE_HITS = 20;

/** Maximum hits per search. */
const MAX_HITS = 1000;

/** Renders the result of a search. */
export function HitList({
  search: { query, found, isSearching, search },
  onLike,
}: {
  search: RunSearch;
  /** Searches for rows like a hit. */
  onLike: (hit: SearchHit) => void;
}) {
  if (found === null || query === null) return null;
  const { hits, baseline, rows, timings, totalMs } = found;
  if (hits.length === 0) return <Empty title={MISSING[found.mode]} />;
  const hasMore = hits.length >= (query.count ?? hits.length) && hits.length < Math.min(rows, MAX_HITS);
  return (
    <div class={isSearching ? 'hits-old' : ''}>
      <p class="soft small" role="status">
        The {hits.length} best of {count(rows)} rows in {totalMs.toFixed(0)} ms: {timings.embedMs.toFixed(0)}{' '}
        ms for the vector of the question, {timings.searchMs.toFixed(0)} ms to compare it with every row.
      </p>
      {isNarrow(baseline) && found.mode !== 'words' && (
        <p class="soft small">
          With this model even unrelated texts have a similarity of about {baseline.mean.toFixed(2)}. The
          number in brackets takes this into account: 0 for unrelated texts, 1 for equal ones.
        </p>
      )}
      <ol class="hits">
        {hits.map((hit) => (
          <li key={hit.row}>
            <Hit hit={hit} baseline={baseline} onLike={() => onLike(hit)} />
          </li>
        ))}
      </ol>
      {hasMore && (
        <p class="actions actions-below">
          <button
            type="button"
            class="button"
            disabled={isSearching}
            onClick={() => void search({ ...query, count: Math.min(MAX_HITS, hits.length + MORE_HITS) })}
          >
            Show more
          </button>
        </p>
      )}
    </div>
  );
}

function Hit({
  hit: { row, id, score, relative, text, spans, reason },
  baseline,
  onLike,
}: {
  hit: SearchHit;
  baseline: ScoreBaseline | null;
  onLike: () => void;
}) {
  return (
    <>
      <span class="hit-score">
        {score?.toFixed(3) ?? '–'}
        {isNarrow(baseline) && relative !== null && <span class="soft block">({relative.toFixed(2)})</span>}
      </span>
      <div>
        <p class="hit-text">
          <MarkedText text={text ?? ''} spans={spans} />
        </p>
        <p class="hit-foot soft small">
          <span>
            <code>{id}</code>, row {count(row + 1)} · {reason}
          </span>
          <button type="button" class="button-text" onClick={onLike}>
            More like this
          </button>
        </p>
      </div>
    </>
  );
}

/** Whether the scores of a model say little without the similarity of its unrelated texts. */
function isNarrow(baseline: ScoreBaseline | null): baseline is ScoreBaseline {
  return baseline !== null && baseline.mean >= NARROW_BAND_MEAN;
}
