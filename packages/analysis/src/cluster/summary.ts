/** Summarizes topics and their groups: sizes, key terms, names, typical rows and nearest topics. */

import { nearestOthers } from './centroids.ts';
import { KeyTerms } from './key-terms.ts';
import { representativeRows } from './representatives.ts';
import { STOP_WORDS } from './stop-words.ts';
import type { Topics } from './topics.ts';
import type { Matrix } from './types.ts';

/** Representative rows per topic. */
export const REPRESENTATIVES = 3;

/** Key terms per topic and per group. */
const TERMS = 6;

/** Terms that distinguish a topic from its nearest topic. */
const DISTINGUISHING_TERMS = 3;

/** Key terms in a name. */
const NAME_TERMS = 3;

/** Summary of one topic. */
export interface TopicSummary {
  /** Number of the topic, from 0, largest first. */
  topic: number;
  /** Number of its group; `null` if there are no groups. */
  group: number | null;
  rows: number;
  /** Share of all rows with a vector, 0 to 1. */
  share: number;
  /** Mean cosine similarity of its rows to its centroid. */
  cohesion: number;
  /** Words and pairs that are more frequent in this topic than in the others; empty without texts. */
  terms: string[];
  /** The topic with the nearest centroid, and the terms that distinguish this topic from it; `null` for one topic. */
  nearest: { topic: number; terms: string[] } | null;
  /** Distinct rows of the matrix near its centroid. */
  representatives: number[];
}

/** Summary of a group of similar topics. */
export interface GroupSummary {
  /** Number of the group, from 0, largest first. */
  group: number;
  rows: number;
  share: number;
  terms: string[];
  /** Its topics, largest first. */
  topics: number[];
}

/** What is known of all topics. */
export interface TopicsSummary {
  topics: TopicSummary[];
  /** Empty if there are no groups. */
  groups: GroupSummary[];
}

/** Counter of the terms of topics, to which the caller adds the text of each row. */
export function topicTerms({ clustering }: Topics): KeyTerms {
  return new KeyTerms(clustering.centroids.rows, STOP_WORDS);
}

/**
 * Summarizes topics and groups.
 * @param matrix in which they were found
 * @param terms with the texts of its rows, if they are known
 */
export function summarizeTopics(
  { clustering, groups }: Topics,
  matrix: Matrix,
  terms: KeyTerms,
): TopicsSummary {
  const { assignments, cosines, centroids } = clustering;
  const sizes = new Array<number>(centroids.rows).fill(0);
  const sums = new Array<number>(centroids.rows).fill(0);
  for (let row = 0; row < matrix.rows; row++) {
    const topic = assignments[row]!;
    sizes[topic]! += 1;
    sums[topic]! += cosines[row]!;
  }
  const words = terms.top(TERMS);
  const shown = representativeRows(matrix, clustering, REPRESENTATIVES);
  const nearest = nearestOthers(centroids);
  const topics = sizes.map((rows, topic): TopicSummary => {
    const other = nearest[topic]!;
    return {
      topic,
      group: groups?.[topic] ?? null,
      rows,
      share: rows / matrix.rows,
      cohesion: sums[topic]! / rows,
      terms: words[topic]!,
      nearest:
        other === -1 ? null : { topic: other, terms: terms.between(topic, other, DISTINGUISHING_TERMS) },
      representatives: shown[topic]!,
    };
  });
  return { topics, groups: groups === null ? [] : summarizeGroups(topics, groups, terms, matrix.rows) };
}

function summarizeGroups(
  topics: readonly TopicSummary[],
  groupOf: Int32Array,
  terms: KeyTerms,
  total: number,
): GroupSummary[] {
  const count = 1 + groupOf.reduce((max, group) => Math.max(max, group), 0);
  const words = terms.grouped(groupOf, count).top(TERMS);
  return words.map((own, group) => {
    const members = topics.filter((topic) => topic.group === group);
    const rows = members.reduce((sum, topic) => sum + topic.rows, 0);
    return { group, rows, share: rows / total, terms: own, topics: members.map(({ topic }) => topic) };
  });
}

/** Name from key terms, such as "Exchange rate, currency, wrong"; `fallback` without terms. */
export function nameFromTerms(terms: readonly string[], fallback: string): string {
  const name = terms.slice(0, NAME_TERMS).join(', ');
  return name === '' ? fallback : name[0]!.toUpperCase() + name.slice(1);
}
