/** Adds the work of an inference thread to a trace; both lanes call it. */

import type { OpenSpan } from '@embedmill/core/telemetry';
import type { PieceTimings } from './inference/protocol.ts';

/** Adds a child step to the inference span, with the start and end times that the thread measured. */
export function addThreadStep(span: OpenSpan, { startedAtMs, endedAtMs, tokenizeMs }: PieceTimings): void {
  span.addStep('inference thread', { 'embedmill.tokenize_ms': tokenizeMs }, startedAtMs, endedAtMs);
}
