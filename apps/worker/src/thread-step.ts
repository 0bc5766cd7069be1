/** Shows in a trace what an inference thread did with a piece; the work of both lanes calls it. */

import type { OpenSpan } from '@embedmill/core/telemetry';
import type { PieceTimings } from './inference/protocol.ts';

/** Adds a step below the span of the inference, with the thread's own times. */
export function addThreadStep(span: OpenSpan, { startedAtMs, endedAtMs, tokenizeMs }: PieceTimings): void {
  span.addStep('inference thread', { 'embedmill.tokenize_ms': tokenizeMs }, startedAtMs, endedAtMs);
}
