/** Search form for one run, with the nearest rows. */

import { NARROW_BAND_MEAN, type RunInfo, type ScoreBaseline, type SearchHit } from '@embedmill/contract';
import { useRef, useState } from 'preact/hooks';
import { requestJson } from '../../api/client.ts';
import { count } from '../../ui/format.ts';
import { Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';

/** Response of the search route. */
interface SearchResult {
  rows: number;
  hits: SearchHit[];
  baseline: ScoreBaseline | null;
  timings: { embedMs: number; searchMs: number };
}

/** Rows per search. */
const MAX_HITS = 20;

/** Renders the form; a new search aborts the one in progress. */
export function SearchBox({ run }: { run: RunInfo }) {
  const [text, setText] = useState('');
  const [result, setResult] = useState<(SearchResult & { totalMs: number }) | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isLoading, setIsAsking] = useState(false);
  const controller = useRef(new AbortController());
  const search = async () => {
    controller.current.abort();
    controller.current = new AbortController();
    const { signal } = controller.current;
    setIsAsking(true);
    setError(null);
    const startedAt = performance.now();
    try {
      const found = await requestJson<SearchResult>(`v1/runs/${run.id}/search`, {
        method: 'POST',
        json: { text, count: MAX_HITS },
        signal,
      });
      setResult({ ...found, totalMs: performance.now() - startedAt });
      setIsAsking(false);
    } catch (reason) {
      if (signal.aborted) return;
      setError(reason);
      setIsAsking(false);
    }
  };
  return (
    <Section title="Question">
      <form
        class="search-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== '') void search();
        }}
      >
        <label class="unseen" for="question">
          Question
        </label>
        <input
          id="question"
          type="search"
          placeholder="the battery does not last"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button button-main" disabled={text.trim() === ''}>
          Search
        </button>
      </form>
      {error !== null && <Failure error={error} onRetry={() => void search()} />}
      {isLoading && result === null && <Loading what="the nearest rows" />}
      {result !== null && error === null && <Hits result={result} isOutdated={isLoading} />}
    </Section>
  );
}

function Hits({ result, isOutdated }: { result: SearchResult & { totalMs: number }; isOutdated: boolean }) {
  const { hits, baseline, rows, timings, totalMs } = result;
  if (hits.length === 0) return <Empty title="The question contains no text that the model can embed." />;
  return (
    <div class={isOutdated ? 'hits-old' : ''}>
      <p class="soft small" role="status">
        The {hits.length} nearest of {count(rows)} rows in {totalMs.toFixed(0)} ms:{' '}
        {timings.embedMs.toFixed(0)} ms for the vector of the question, {timings.searchMs.toFixed(0)} ms to
        compare it with every row.
      </p>
      {isNarrow(baseline) && (
        <p class="soft small">
          With this model even unrelated texts have a similarity of about {baseline.mean.toFixed(2)}. The
          number in brackets takes this into account: 0 for unrelated texts, 1 for equal ones.
        </p>
      )}
      <ol class="hits">
        {hits.map(({ row, id, score, relative, text }) => (
          <li key={row}>
            <span class="hit-score">
              {score?.toFixed(3)}
              {isNarrow(baseline) && relative !== null && (
                <span class="soft block">({relative.toFixed(2)})</span>
              )}
            </span>
            <div>
              <p class="hit-text">{text ?? ''}</p>
              <p class="soft small">
                <code>{id}</code>, row {count(row + 1)}
              </p>
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Whether the scores of a model say little without the similarity of its unrelated texts. */
function isNarrow(baseline: ScoreBaseline | null): baseline is ScoreBaseline {
  return baseline !== null && baseline.mean >= NARROW_BAND_MEAN;
}
