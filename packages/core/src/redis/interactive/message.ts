/**
 * Message format of the answer to one part, on a producer's channel: written by the worker, read by the lane.
 *
 * Little-endian: u32 length of the head, the head as JSON, then, for vectors, an encoded batch result.
 */

import { CorruptError, type SerializedError, type TextToken } from '@embedmill/contract';

/** Milliseconds that a part spent in the queue and in inference. */
export interface PartTimings {
  queueMs: number;
  inferMs: number;
}

/** Answer to one part. */
export type PartAnswer = { part: string } & (
  | { kind: 'vectors'; timings: PartTimings; result: Uint8Array }
  | { kind: 'tokens'; tokens: TextToken[][] }
  /** Not done, for a reason unrelated to its texts: another worker should do it. */
  | { kind: 'handed-back' }
  /** Its worker crashed over it, or over another part of the same job. */
  | { kind: 'lost' }
  | { kind: 'failed'; error: SerializedError }
);

const LENGTH_BYTES = 4;

/** Answer → bytes. */
export function encodeAnswer(answer: PartAnswer): Buffer {
  const { head, result } = split(answer);
  const headBytes = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(headBytes.byteLength);
  return Buffer.concat([length, headBytes, result]);
}

/**
 * Bytes → answer; the result is a view of the bytes.
 * @throws {CorruptError} `corrupt-answer`
 */
export function decodeAnswer(bytes: Uint8Array): PartAnswer {
  try {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = LENGTH_BYTES + source.readUInt32LE(0);
    const head = JSON.parse(source.toString('utf8', LENGTH_BYTES, end));
    if (typeof head.part !== 'string' || !isComplete(head)) throw new Error('its head lacks fields');
    return head.kind === 'vectors' ? { ...head, result: source.subarray(end) } : head;
  } catch (cause) {
    throw new CorruptError(
      'corrupt-answer',
      `an answer of ${bytes.byteLength} bytes is not in the expected format`,
      {
        cause,
      },
    );
  }
}

function split(answer: PartAnswer): { head: object; result: Uint8Array } {
  if (answer.kind !== 'vectors') return { head: answer, result: new Uint8Array(0) };
  const { result, ...head } = answer;
  return { head, result };
}

/** Whether the head of an answer has the fields of its kind. */
function isComplete(head: Record<string, unknown>): boolean {
  if (head.kind === 'vectors') return typeof head.timings === 'object' && head.timings !== null;
  if (head.kind === 'tokens') return Array.isArray(head.tokens);
  if (head.kind === 'failed') {
    const { code, message } = (head.error ?? {}) as Record<string, unknown>;
    return typeof code === 'string' && typeof message === 'string';
  }
  return head.kind === 'handed-back' || head.kind === 'lost';
}
