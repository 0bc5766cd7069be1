/** Computes what a map shows: the place of each row, its topic, and the names of the topics. */

import { nameFromTerms, topicSteps } from '@embedmill/analysis';
import { type MapTopic, mapSteps } from '@embedmill/analysis/map';
import type { LoadedVectors } from '../../io/vectors/load.ts';
import { UsageError } from '../../shell/exit-codes.ts';
import { takeSteps } from '../../shell/progress/index.ts';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { summarizeTopics } from '../cluster/cluster.ts';

/** Share of the time that the topics take; the rest is for the map. */
const TOPICS_SHARE = 0.3;

/** A map of the rows of a vector file. */
export interface ComputedMap {
  readonly ids: readonly string[];
  /** Of each row; `null` if the file has no texts and none were given. */
  readonly texts: readonly string[] | null;
  /** x and y of each row, interleaved. */
  readonly places: Float32Array;
  /** Topic of each row. */
  readonly topicOf: Int32Array;
  readonly topics: readonly (MapTopic & { group: number | null })[];
  readonly groups: readonly MapTopic[];
}

/** Options of {@link computeMap}. */
export interface ComputeOptions {
  /** Number of topics; `null` to find it. */
  readonly topics: number | null;
  readonly seed: number;
  /** Receives the share of the work done. */
  readonly onShare: (share: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Computes the topics and the map.
 * @param texts text of each row, or `null`
 * @throws {UsageError} for more topics than rows
 */
export async function computeMap(
  loaded: LoadedVectors,
  texts: readonly string[] | null,
  { topics: given, seed, onShare, signal }: ComputeOptions,
): Promise<ComputedMap> {
  const { matrix, ids } = loaded;
  if (given !== null && given > matrix.rows) {
    throw new UsageError(`--k ${given} exceeds the ${formatNoun(matrix.rows, 'row')} with a vector`);
  }
  const found = await takeSteps(topicSteps(matrix, { topics: given, seed }), {
    onShare: (share) => onShare(TOPICS_SHARE * share),
    signal,
  });
  const places = await takeSteps(mapSteps(matrix, { seed }), {
    onShare: (share) => onShare(TOPICS_SHARE + (1 - TOPICS_SHARE) * share),
    signal,
  });
  const { topics, groups } = summarizeTopics(found, loaded, (row) => texts?.[row] ?? null);
  return {
    ids,
    texts,
    places,
    topicOf: found.clustering.assignments,
    topics: topics.map(({ topic, group, rows, terms }) => ({
      name: nameFromTerms(terms, `Topic ${topic + 1}`),
      rows,
      group,
    })),
    groups: groups.map(({ group, rows, terms }) => ({
      name: nameFromTerms(terms, `Group ${group + 1}`),
      rows,
    })),
  };
}
