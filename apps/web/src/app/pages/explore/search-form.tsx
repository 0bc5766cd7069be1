/** The search field of the Explore page. */

import { useEffect, useState } from 'preact/hooks';
import type { Explorer } from '../../explore/use-explorer.ts';
import { Failure } from '../../ui/states.tsx';

/** Searches on Enter; an empty field ends the search. */
export function SearchForm({ explorer: { state, update, search } }: { explorer: Explorer }) {
  const [text, setText] = useState(state.search);
  // Back, a term of a topic and “More like this” change the search, too.
  useEffect(() => setText(state.search), [state.search, state.like]);
  return (
    <>
      <search>
        <form
          class="search-form"
          onSubmit={(event) => {
            event.preventDefault();
            update({ search: text.trim(), like: null, sort: 'auto', row: null });
          }}
        >
          <label class="unseen" for="question">
            Search by meaning and words
          </label>
          <input
            id="question"
            type="search"
            placeholder="Search by meaning and words, such as: the battery does not last"
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value);
              if (event.currentTarget.value === '' && state.search !== '') update({ search: '' });
            }}
          />
          <button type="submit" class="button button-main" disabled={text.trim() === ''}>
            Search
          </button>
        </form>
      </search>
      {search.error !== null && <Failure error={search.error} onRetry={search.retry} />}
    </>
  );
}
