/** The question to a run, and the rows that answer it. */

import type { RunInfo } from '@embedmill/contract';
import { useRef, useState } from 'preact/hooks';
import { ask } from '../../api/client.ts';
import { count } from '../../ui/format.ts';
import { Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';

/** What the API answers. */
interface SearchResult {
  rows: number;
  hits: { row: number; id: string; score: number; text: string | null }[];
  timings: { embedMs: number; searchMs: number };
}

const HITS = 20;

export function SearchBox({ run }: { run: RunInfo }) {
  const [text, setText] = useState('');
  const [result, setResult] = useState<(SearchResult & { totalMs: number }) | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isAsking, setIsAsking] = useState(false);
  const asking = useRef(new AbortController());
  const search = async () => {
    asking.current.abort();
    asking.current = new AbortController();
    const { signal } = asking.current;
    setIsAsking(true);
    setError(null);
    const startedAt = performance.now();
    try {
      const found = await ask<SearchResult>(`v1/runs/${run.id}/search`, {
        method: 'POST',
        json: { text, count: HITS },
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
      {isAsking && result === null && <Loading what="the nearest rows" />}
      {result !== null && error === null && <Hits result={result} isOld={isAsking} />}
    </Section>
  );
}

function Hits({ result, isOld }: { result: SearchResult & { totalMs: number }; isOld: boolean }) {
  const { hits, rows, timings, totalMs } = result;
  if (hits.length === 0) return <Empty title="The question contains no text that the model can embed." />;
  return (
    <div class={isOld ? 'hits-old' : ''}>
      <p class="soft small" role="status">
        The {hits.length} nearest of {count(rows)} rows in {totalMs.toFixed(0)} ms:{' '}
        {timings.embedMs.toFixed(0)} ms for the vector of the question, {timings.searchMs.toFixed(0)} ms to
        compare it with every row.
      </p>
      <ol class="hits">
        {hits.map(({ row, id, score, text }) => (
          <li key={row}>
            <span class="hit-score">{score.toFixed(3)}</span>
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
