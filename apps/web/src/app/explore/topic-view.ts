/** Topics as they appear on the map and in lists: colours and labels. */

import { type MapLabel, TOPIC_COLORS, topicColors } from '@embedmill/analysis/map';
import type { RunTopics } from '@embedmill/contract';

/** Index into `TOPIC_COLORS` for each topic; topics near each other have different colours. */
export function colorsOfTopics({ topics }: RunTopics): Uint8Array {
  return topicColors(Float32Array.from(topics.flatMap(({ center }) => center)), TOPIC_COLORS.length);
}

/** CSS colour of a topic. */
export function topicColor(colorOf: Uint8Array, topic: number): string {
  return TOPIC_COLORS[colorOf[topic] ?? 0]!;
}

/**
 * Labels of all topics and groups. A group of one topic has only the label of its topic, and one group of all topics
 * has none.
 */
export function labelsOf({ topics, groups }: RunTopics): MapLabel[] {
  const named = groups.length < 2 ? [] : groups.filter(({ topics: members }) => members.length > 1);
  const isAlone = (group: number | null) =>
    groups.length > 1 && group !== null && groups[group]?.topics.length === 1;
  return [
    ...named.map(({ name, rows, topics: members }): MapLabel => {
      const [x, y] = weightedCenter(members.map((topic) => topics[topic]!));
      return { text: name, x, y, level: 0, rows };
    }),
    ...topics.map(
      ({ name, rows, center: [x, y], group }): MapLabel => ({
        text: name,
        x,
        y,
        level: isAlone(group) ? 0 : 1,
        rows,
      }),
    ),
  ];
}

function weightedCenter(topics: readonly { rows: number; center: [number, number] }[]): [number, number] {
  const rows = topics.reduce((sum, topic) => sum + topic.rows, 0);
  const mean = (axis: 0 | 1) =>
    topics.reduce((sum, topic) => sum + topic.rows * topic.center[axis], 0) / rows;
  return [mean(0), mean(1)];
}
