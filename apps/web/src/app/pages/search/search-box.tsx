/** Search of one run: form and hits. */

import type { RunInfo, SearchHit, SearchMode } from '@embedmill/contract';
import { useState } from 'preact/hooks';
import { HitList } from '../../search/hit-list.tsx';
import { SearchForm } from '../../search/search-form.tsx';
import { useRunSearch } from '../../search/use-run-search.ts';
import { Section } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/states.tsx';

/** Hits of the first page. */
const FIRST_HITS = 20;

/** Renders the form and the hits of the last search. */
export function SearchBox({ run }: { run: RunInfo }) {
  const [mode, setMode] = useState<SearchMode>('hybrid');
  const [like, setLike] = useState<SearchHit | null>(null);
  const search = useRunSearch(run.id);
  const { query, found, error, isSearching } = search;
  return (
    <Section title="Question">
      <SearchForm
        mode={mode}
        onSearch={(text, chosen) => {
          setMode(chosen);
          setLike(null);
          if (text.trim() !== '') void search.search({ text, mode: chosen, count: FIRST_HITS });
        }}
      />
      {error !== null && query !== null && (
        <Failure error={error} onRetry={() => void search.search(query)} />
      )}
      {isSearching && found === null && <Loading what="the best rows" />}
      {like !== null && error === null && (
        <p>
          Rows like row <code>{like.id}</code>: {like.text}
        </p>
      )}
      {error === null && (
        <HitList
          search={search}
          onLike={(hit) => {
            setLike(hit);
            void search.search({ like: hit.row, count: FIRST_HITS });
          }}
        />
      )}
    </Section>
  );
}
