/** One topic: its name, which can be changed, its terms, typical texts and what sets it apart. */

import type { RunTopic } from '@embedmill/contract';
import { useState } from 'preact/hooks';
import { colorsOfTopics, topicColor } from '../../explore/topic-view.ts';
import type { AnalysisResults } from '../../explore/use-analysis.ts';
import type { Explorer } from '../../explore/use-explorer.ts';
import { count, plural, share } from '../../ui/format.ts';
import { Failure } from '../../ui/states.tsx';

/** Maximum characters of a name. */
const MAX_NAME = 120;

/** Renders the details, with a way back to all topics. */
export function TopicDetails({
  explorer,
  results,
  topic,
}: {
  explorer: Explorer;
  results: AnalysisResults;
  topic: RunTopic;
}) {
  const { update } = explorer;
  const { nearest, terms, examples, rows } = topic;
  const neighbour = nearest === null ? undefined : results.topics[nearest.topic];
  return (
    <div class="topic-details">
      <button type="button" class="link-button" onClick={() => update({ topics: [], row: null })}>
        ← All topics
      </button>
      <div>
        <TopicName
          topic={topic}
          color={topicColor(colorsOfTopics(results), topic.topic)}
          onRename={(name) => explorer.loaded.rename(topic.topic, name)}
        />
        <p class="soft">
          {count(rows)} {plural(rows, 'text')}, {share(topic.share, 1)} of all
        </p>
      </div>
      <div>
        <h3>Key terms</h3>
        <ul class="terms">
          {terms.map(({ term, rows: withTerm }) => (
            <li key={term}>
              <button
                type="button"
                class="term"
                title={`In ${count(withTerm)} ${plural(withTerm, 'text')} of this topic; search for it`}
                onClick={() => update({ search: term, like: null, sort: 'auto', row: null })}
              >
                {term}
              </button>
            </li>
          ))}
        </ul>
      </div>
      <div>
        <h3>Typical texts</h3>
        <ul class="quotes">
          {examples.map(({ row, text }) => (
            <li key={row}>
              <button type="button" class="quote" onClick={() => update({ row }, 'replace')}>
                {text ?? '(no text)'}
              </button>
            </li>
          ))}
        </ul>
      </div>
      {nearest !== null && neighbour !== undefined && (
        <div>
          <h3>Most similar topic</h3>
          <p>
            <button
              type="button"
              class="link-button"
              onClick={() => update({ topics: [neighbour.topic], row: null })}
            >
              {neighbour.name}
            </button>
          </p>
          {nearest.terms.length > 0 && (
            <p class="soft small">What sets this topic apart from it: {nearest.terms.join(', ')}.</p>
          )}
        </div>
      )}
    </div>
  );
}

function TopicName({
  topic,
  color,
  onRename,
}: {
  topic: RunTopic;
  color: string;
  onRename: (name: string | null) => Promise<void>;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const save = (name: string | null) => {
    onRename(name).then(
      () => {
        setDraft(null);
        setError(null);
      },
      (reason) => setError(reason),
    );
  };
  if (draft === null) {
    return (
      <div class="topic-title">
        <h2>
          <span class="legend-dot" style={{ backgroundColor: color }} aria-hidden="true" /> {topic.name}
        </h2>
        <button type="button" class="link-button" onClick={() => setDraft(topic.name)}>
          Rename
        </button>
      </div>
    );
  }
  return (
    <form
      class="topic-rename"
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.trim() !== '') save(draft.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') setDraft(null);
      }}
    >
      <label class="unseen" for="topic-name">
        Name of the topic
      </label>
      <input
        id="topic-name"
        maxLength={MAX_NAME}
        value={draft}
        ref={(element) => {
          if (element !== null && document.activeElement !== element) element.focus();
        }}
        onInput={(event) => setDraft(event.currentTarget.value)}
      />
      <p class="actions">
        <button type="submit" class="button button-main" disabled={draft.trim() === ''}>
          Save
        </button>
        <button type="button" class="button" onClick={() => setDraft(null)}>
          Cancel
        </button>
        {topic.isRenamed && (
          <button type="button" class="link-button" onClick={() => save(null)}>
            Use the computed name
          </button>
        )}
      </p>
      {error !== null && <Failure error={error} />}
    </form>
  );
}
