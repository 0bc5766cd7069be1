/** Message with parts of interactive calls: written by the lane, read by the worker's interactive work. */

import type { Precision, TextInput, Treatment, Truncate } from '@embedmill/contract';

/** Consecutive texts of one call, at most as many as fit in a message. */
export interface CallPart {
  /** Unique; the same when the part is sent again as it is. */
  id: string;
  texts: readonly TextInput[];
  work: PartWork;
  /** Milliseconds since 1970, according to Redis; no text of the part is started after it. */
  deadline: number;
  /**
   * Fingerprint of the model that answered another part of the call; a worker with another one hands the part
   * back. Absent until the first answer.
   */
  fingerprint?: string;
  /** Trace context of the caller (W3C `traceparent`); absent without tracing. */
  trace?: string;
}

/** What to do with the texts of a part. */
export type PartWork =
  | {
      kind: 'embed';
      precision: Precision;
      truncate: Truncate;
      treatment: Treatment;
      /** Whether outcomes include the spans of the chunks of their texts. */
      chunkSpans: boolean;
    }
  | { kind: 'tokenize'; specialTokens: boolean };

/** Parts of calls that were sent at the same time, for workers with the same model. */
export interface CallMessage {
  id: string;
  /** Id of the producer whose channel gets the answers. */
  producer: string;
  /** Milliseconds since 1970, according to Redis. */
  enqueuedAt: number;
  parts: CallPart[];
}

/** Message → JSON. */
export function encodeCallMessage(message: CallMessage): string {
  return JSON.stringify(message);
}

/** JSON → message; `null` for text that no producer wrote. */
export function decodeCallMessage(text: string): CallMessage | null {
  try {
    const message = JSON.parse(text) as CallMessage | null;
    const isMessage =
      typeof message?.id === 'string' &&
      typeof message.producer === 'string' &&
      typeof message.enqueuedAt === 'number' &&
      Array.isArray(message.parts) &&
      message.parts.every(isPart);
    return isMessage ? message : null;
  } catch {
    return null;
  }
}

function isPart(part: CallPart | null): boolean {
  return (
    typeof part?.id === 'string' &&
    Array.isArray(part.texts) &&
    typeof part.work?.kind === 'string' &&
    typeof part.deadline === 'number'
  );
}
