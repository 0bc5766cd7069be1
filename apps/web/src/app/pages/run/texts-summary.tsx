/** What the texts of a completed run say: its topics in numbers, with key terms and typical texts, and the map. */

import type { RunInfo, RunTopic } from '@embedmill/contract';
import { useMemo, useState } from 'preact/hooks';
import { encodeState, INITIAL_STATE } from '../../explore/explore-state.ts';
import { colorByTopic } from '../../explore/point-colors.ts';
import { colorsOfTopics, labelsOf, topicColor } from '../../explore/topic-view.ts';
import { type AnalysisResults, useAnalysis, useResults } from '../../explore/use-analysis.ts';
import { PointMap } from '../../map/point-map.tsx';
import { go, to } from '../../router.ts';
import { count, plural, share } from '../../ui/format.ts';
import { Section } from '../../ui/page.tsx';
import { Empty } from '../../ui/states.tsx';
import { AnalysisNotice } from '../explore/analysis-notice.tsx';

/** Topics that are shown with their texts at first. */
const SHOWN_TOPICS = 6;

/** Topics in the list beside the map. */
const LISTED_TOPICS = 12;

/** Terms per topic. */
const SHOWN_TERMS = 6;

const NO_ROWS: readonly number[] = [];

/** Renders the summary; it requests the analysis if there is none. */
export function TextsSummary({ run }: { run: RunInfo }) {
  const analysis = useAnalysis(run.id);
  const loaded = useResults(run.id, analysis.status?.state === 'ready');
  if (loaded.results === null) {
    return (
      <Section title="What the texts say">
        <AnalysisNotice analysis={analysis} loaded={loaded} />
      </Section>
    );
  }
  if (loaded.results.topics.length === 0) {
    return (
      <Section title="What the texts say">
        <Empty title="No topics.">
          <p>
            These texts are too few or too alike to have topics.{' '}
            <a href={to('explore', run.id)}>Search and read them</a> instead.
          </p>
        </Empty>
      </Section>
    );
  }
  return <Summary run={run} results={loaded.results} />;
}

function Summary({ run, results }: { run: RunInfo; results: AnalysisResults }) {
  const { topics } = results;
  const [shown, setShown] = useState(SHOWN_TOPICS);
  const total = run.rows.accepted;
  const colorOf = useMemo(() => colorsOfTopics(results), [results]);
  const coloring = useMemo(() => colorByTopic(results.topicOf, colorOf), [results.topicOf, colorOf]);
  const labels = useMemo(() => labelsOf(results), [results]);
  const listed = topics.slice(0, LISTED_TOPICS);
  const inTopics = topics.reduce((sum, { rows }) => sum + rows, 0);
  return (
    <>
      <Section
        title={`${count(total)} ${plural(total, 'text')}, ${count(topics.length)} ${plural(topics.length, 'topic')}`}
        aside={
          <a class="button" href={to('explore', run.id)}>
            Explore the map and texts
          </a>
        }
      >
        <div class="summary">
          <div class="summary-map">
            <PointMap
              points={results.points}
              colors={coloring.colors}
              palette={coloring.palette}
              visible={null}
              highlighted={NO_ROWS}
              selected={NO_ROWS}
              labels={labels}
              view={null}
              onView={() => {}}
              onHover={() => {}}
              onSelect={([row]) => {
                const topic = row === undefined ? -1 : (results.topicOf[row] ?? -1);
                if (topic >= 0) location.hash = exploreTopic(run, topic);
                else if (row !== undefined) go('explore', run.id);
              }}
            />
          </div>
          <div>
            <ol class="summary-topics">
              {listed.map((topic) => (
                <SummaryBar
                  key={topic.topic}
                  run={run}
                  topic={topic}
                  largest={topics[0]!.rows}
                  color={topicColor(colorOf, topic.topic)}
                />
              ))}
            </ol>
            {(topics.length > listed.length || inTopics < total) && (
              <p class="soft small">
                {topics.length > listed.length &&
                  `${count(topics.length - listed.length)} more ${plural(topics.length - listed.length, 'topic')} below. `}
                {inTopics < total &&
                  `${share(total - inTopics, total)} of the texts ${total - inTopics === 1 ? 'belongs' : 'belong'} to no topic.`}
              </p>
            )}
          </div>
        </div>
      </Section>
      <ul class="topic-cards">
        {topics.slice(0, shown).map((topic) => (
          <TopicCard key={topic.topic} run={run} topic={topic} color={topicColor(colorOf, topic.topic)} />
        ))}
      </ul>
      {topics.length > shown && (
        <p>
          <button type="button" class="button" onClick={() => setShown(topics.length)}>
            Show all {count(topics.length)} topics
          </button>
        </p>
      )}
    </>
  );
}

function exploreTopic(run: RunInfo, topic: number): string {
  return `${to('explore', run.id)}?${encodeState({ ...INITIAL_STATE, topics: [topic] })}`;
}

function SummaryBar({
  run,
  topic: { topic, name, rows, share: part },
  largest,
  color,
}: {
  run: RunInfo;
  topic: RunTopic;
  largest: number;
  color: string;
}) {
  return (
    <li>
      <a href={exploreTopic(run, topic)}>
        <span class="topic-name">{name}</span>
        <span class="topic-figure">
          {share(part, 1)} <span class="soft small">{count(rows)}</span>
        </span>
        <span class="topic-bar" aria-hidden="true">
          <span style={{ width: `${(100 * rows) / largest}%`, backgroundColor: color }} />
        </span>
      </a>
    </li>
  );
}

function TopicCard({ run, topic, color }: { run: RunInfo; topic: RunTopic; color: string }) {
  const { name, rows, terms, examples } = topic;
  return (
    <li class="card topic-card" style={{ borderTopColor: color }}>
      <div>
        <h3>
          <a href={exploreTopic(run, topic.topic)}>{name}</a>
        </h3>
        <p class="soft small">
          {share(topic.share, 1)}, {count(rows)} {plural(rows, 'text')}
        </p>
      </div>
      <p class="topic-terms">
        {terms
          .slice(0, SHOWN_TERMS)
          .map(({ term }) => term)
          .join(' · ')}
      </p>
      <ul class="quotes">
        {examples.map(({ row, text }) => (
          <li key={row}>
            <p class="quote">{text ?? '(no text)'}</p>
          </li>
        ))}
      </ul>
    </li>
  );
}
