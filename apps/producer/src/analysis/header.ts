/** Checks the header of a stored analysis, which may come from the export of another producer. */

import type { AnalysisHeader } from '@embedmill/core/runs';
import { analysisStatusSchema, duplicatesSchema, topicsSchema } from '../openapi/analysis-schemas.ts';

/** Whether a header has the form of the API, and its topics and groups name each other. */
export function isWholeHeader({
  topics,
  groups,
  duplicates,
  steps,
  requestedTopics,
}: AnalysisHeader): boolean {
  const shown = topics.map(({ key: _, ...topic }) => ({ ...topic, isRenamed: false }));
  const status = {
    ...{ state: 'ready', step: null, progress: 1, reason: null, rows: 0, topics: topics.length },
    ...{ requestedTopics, steps },
  };
  return (
    topicsSchema.safeParse({ topics: shown, groups }).success &&
    duplicatesSchema.safeParse(duplicates).success &&
    analysisStatusSchema.safeParse(status).success &&
    topics.every(
      ({ topic, group, nearest }, number) =>
        topic === number &&
        (nearest === null || nearest.topic < topics.length) &&
        (group === null || group < groups.length),
    ) &&
    groups.every((group) => group.topics.every((topic) => topic < topics.length))
  );
}
