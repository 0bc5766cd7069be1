/** The list of topics in their groups, with the number of texts that the other filters leave of each. */

import type { RunTopic } from '@embedmill/contract';
import { useMemo } from 'preact/hooks';
import { isSearch } from '../../explore/explore-state.ts';
import { crossCounts } from '../../explore/filter-rows.ts';
import { colorsOfTopics, topicColor } from '../../explore/topic-view.ts';
import type { AnalysisResults } from '../../explore/use-analysis.ts';
import { type Explorer, FILTER_KEYS } from '../../explore/use-explorer.ts';
import { count, plural, share } from '../../ui/format.ts';
import { Empty } from '../../ui/states.tsx';

/** Renders the list; a click shows one topic, with Ctrl or ⌘ it adds or removes one. */
export function TopicsPanel({ explorer, results }: { explorer: Explorer; results: AnalysisResults }) {
  const { state, update, crossed, total } = explorer;
  const { topics, groups } = results;
  const colorOf = useMemo(() => colorsOfTopics(results), [results]);
  const counts = useMemo(
    () => crossCounts(crossed, FILTER_KEYS.topics, results.topicOf, topics.length),
    [crossed, results.topicOf, topics.length],
  );
  if (topics.length === 0) {
    return (
      <Empty title="No topics.">
        <p>These texts are too few or too alike to have topics. The search and the table show all of them.</p>
      </Empty>
    );
  }
  const largest = topics[0]!.rows;
  const without = total - topics.reduce((sum, topic) => sum + topic.rows, 0);
  const toggle = (topic: number, event: MouseEvent) => {
    const isOn = state.topics.includes(topic);
    const others = state.topics.filter((other) => other !== topic);
    const isAdding = event.ctrlKey || event.metaKey;
    update({
      topics: isAdding ? (isOn ? others : [...others, topic].sort((a, b) => a - b)) : isOn ? [] : [topic],
      row: null,
    });
  };
  const item = (topic: RunTopic) => (
    <TopicItem
      key={topic.topic}
      topic={topic}
      rows={counts[topic.topic]!}
      largest={largest}
      color={topicColor(colorOf, topic.topic)}
      isChosen={state.topics.includes(topic.topic)}
      onClick={(event) => toggle(topic.topic, event)}
    />
  );
  // A search moves the topics of its hits up.
  const bySize = (members: readonly number[]) =>
    isSearch(state) ? [...members].sort((a, b) => counts[b]! - counts[a]! || a - b) : members;
  const isGrouped = groups.length > 1 && groups.length < topics.length;
  return (
    <div class="topics">
      {isGrouped ? (
        groups.map(({ group, name, rows, topics: members }) =>
          members.length === 1 ? (
            <ul key={group}>{item(topics[members[0]!]!)}</ul>
          ) : (
            <section key={group} class="topic-group" aria-label={name}>
              <h3>
                <button
                  type="button"
                  class="topic-group-name"
                  aria-pressed={members.every((topic) => state.topics.includes(topic))}
                  onClick={() =>
                    update({
                      topics: members.every((topic) => state.topics.includes(topic)) ? [] : [...members],
                      row: null,
                    })
                  }
                >
                  <span class="topic-name">{name}</span>
                  <span class="soft small">{share(rows, total)}</span>
                </button>
              </h3>
              <ul>{bySize(members).map((topic) => item(topics[topic]!))}</ul>
            </section>
          ),
        )
      ) : (
        <ul>{bySize([...topics.keys()]).map((topic) => item(topics[topic]!))}</ul>
      )}
      {without > 0 && (
        <p class="soft small">
          {count(without)} {plural(without, 'text')} {without === 1 ? 'belongs' : 'belong'} to no topic.
        </p>
      )}
    </div>
  );
}

function TopicItem({
  topic: { name, rows: all, share: part },
  rows,
  largest,
  color,
  isChosen,
  onClick,
}: {
  topic: RunTopic;
  /** Rows that the other filters leave. */
  rows: number;
  largest: number;
  color: string;
  isChosen: boolean;
  onClick: (event: MouseEvent) => void;
}) {
  return (
    <li>
      <button type="button" class="topic-item" aria-pressed={isChosen} onClick={onClick}>
        <span class="legend-dot" style={{ backgroundColor: color }} aria-hidden="true" />
        <span class="topic-name">{name}</span>
        <span class="topic-figure">
          {rows === all ? (
            <>
              {count(all)} <span class="soft">{share(part, 1)}</span>
            </>
          ) : (
            <>
              {count(rows)} <span class="soft">of {count(all)}</span>
            </>
          )}
        </span>
        <span class="topic-bar" aria-hidden="true">
          <span style={{ width: `${(100 * all) / largest}%` }} />
          <span style={{ width: `${(100 * rows) / largest}%`, backgroundColor: color }} />
        </span>
      </button>
    </li>
  );
}
