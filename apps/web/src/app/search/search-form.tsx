/** Search form: the question, and whether meaning, words or both are compared. */

import type { SearchMode } from '@embedmill/contract';
import { useState } from 'preact/hooks';

const MODES: readonly (readonly [mode: SearchMode, label: string])[] = [
  ['hybrid', 'Both'],
  ['vector', 'Meaning'],
  ['words', 'Words'],
];

/** A choice of the mode searches again if there is a question. */
export function SearchForm({
  text: initial = '',
  mode,
  onSearch,
}: {
  /** The question at first. */
  text?: string;
  mode: SearchMode;
  onSearch: (text: string, mode: SearchMode) => void;
}) {
  const [text, setText] = useState(initial);
  const isBlank = text.trim() === '';
  return (
    <form
      class="search-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBlank) onSearch(text, mode);
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
      <button type="submit" class="button button-main" disabled={isBlank}>
        Search
      </button>
      <fieldset class="choice search-modes">
        <legend class="unseen">Compare</legend>
        {MODES.map(([each, label]) => (
          <label key={each}>
            <input type="radio" name="mode" checked={mode === each} onChange={() => onSearch(text, each)} />
            {label}
          </label>
        ))}
      </fieldset>
    </form>
  );
}
