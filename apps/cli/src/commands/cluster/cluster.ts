/** Summarizes the topics of a vector file with the ids and texts of its rows. */

import {
  type GroupSummary,
  type TopicSummary as RowSummary,
  summarizeTopics as summarizeRows,
  type Topics,
  topicTerms,
} from '@embedmill/analysis';
import type { LoadedVectors } from '../../io/vectors/load.ts';

/** Summary of one topic. Plain JSON. */
export interface TopicSummary extends Omit<RowSummary, 'representatives'> {
  /** Distinct rows near its centroid, with their texts if known. */
  representatives: { id: string; text: string | null }[];
}

/** What is known of all topics. Plain JSON. */
export interface TopicsSummary {
  topics: TopicSummary[];
  /** Empty if there are no groups. */
  groups: GroupSummary[];
}

/** Summarizes topics and groups. @param textOf returns the text of a row of `loaded`; `null` if unknown */
export function summarizeTopics(
  topics: Topics,
  { matrix, ids }: LoadedVectors,
  textOf: (row: number) => string | null,
): TopicsSummary {
  const terms = topicTerms(topics);
  for (let row = 0; row < matrix.rows; row++) {
    const text = textOf(row);
    if (text !== null) terms.add(topics.clustering.assignments[row]!, text);
  }
  const summary = summarizeRows(topics, matrix, terms);
  return {
    ...summary,
    topics: summary.topics.map((topic) => ({
      ...topic,
      representatives: topic.representatives.map((row) => ({ id: ids[row]!, text: textOf(row) })),
    })),
  };
}
