/** Topics as they appear on the map and in lists: colours and labels. */

import { type MapLabel, topicColors } from '@embedmill/analysis/map';
import type { TopicList } from '../api/analysis.ts';
import { CATEGORY_COLORS } from './point-colors.ts';

/** Index into `CATEGORY_COLORS` for each topic; topics near each other have different colours. */
export function colorsOfTopics({ topics }: TopicList): Uint8Array {
  return topicColors(Float32Array.from(topics.flatMap(({ center }) => center)), CATEGORY_COLORS.length);
}

/** CSS colour of a topic. */
export function topicColor(colorOf: Uint8Array, topic: number): string {
  return CATEGORY_COLORS[colorOf[topic] ?? 0]!;
}

/** Labels of all topics and groups; a group of one topic has only the label of its topic. */
export function labelsOf({ topics, groups }: TopicList): MapLabel[] {
  const isAlone = (group: number) => (groups[group]?.topics.length ?? 0) < 2;
  return [
    ...groups
      .filter(({ group }) => !isAlone(group))
      .map(({ name, rows, topics: members }): MapLabel => {
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
