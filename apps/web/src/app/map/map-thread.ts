/**
 * The web worker that computes a map, so that the page stays responsive; `use-map.ts` starts it.
 * Decision: docs/decisions/0082.
 */

import { placeRows } from './place-rows.ts';
import type { MapReply, MapRequest } from './protocol.ts';

const reply = (message: MapReply, transfer: Transferable[] = []) => postMessage(message, { transfer });

addEventListener('message', ({ data }: MessageEvent<MapRequest>) => {
  try {
    const placed = placeRows(data, (step) => reply({ kind: 'progress', step }));
    reply({ kind: 'placed', placed }, [placed.x.buffer, placed.y.buffer, placed.clusters.buffer]);
  } catch (error) {
    reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});
