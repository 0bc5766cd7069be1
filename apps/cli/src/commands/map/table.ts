/** Writes the places of a map as a table: one row per vector, for programs. */

import { parquetWriteBuffer } from 'hyparquet-writer';
import { type TableCell, writeTable } from '../../io/records/write-table.ts';
import type { ComputedMap } from './compute.ts';

/** Writes a .csv file. */
export async function writeMapCsv(path: string, map: ComputedMap): Promise<void> {
  const names = ['id', 'x', 'y', 'topic', 'topic_name', ...(map.texts === null ? [] : ['text'])];
  await writeTable(path, names, rowsOf(map));
}

function* rowsOf({ ids, places, topicOf, topics, texts }: ComputedMap): Generator<TableCell[]> {
  for (const [row, id] of ids.entries()) {
    const topic = topicOf[row]!;
    const text = texts === null ? [] : [texts[row]!];
    const [x, y] = [places[2 * row]!.toFixed(5), places[2 * row + 1]!.toFixed(5)];
    yield [id, x, y, topic, topics[topic]!.name, ...text];
  }
}

/** Returns the bytes of a .parquet file. */
export function mapParquet({ ids, places, topicOf, topics, texts }: ComputedMap): Uint8Array {
  const axis = (which: 0 | 1) => Float32Array.from(ids, (_, row) => places[2 * row + which]!);
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'id', data: [...ids], type: 'STRING' },
        { name: 'x', data: axis(0), type: 'FLOAT' },
        { name: 'y', data: axis(1), type: 'FLOAT' },
        { name: 'topic', data: topicOf, type: 'INT32' },
        { name: 'topic_name', data: Array.from(topicOf, (topic) => topics[topic]!.name), type: 'STRING' },
        ...(texts === null ? [] : [{ name: 'text', data: [...texts], type: 'STRING' as const }]),
      ],
    }),
  );
}
