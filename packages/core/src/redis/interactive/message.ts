/**
 * The answer to one part of a call as bytes on a producer's channel: written by the worker, read by the lane.
 *
 * Little-endian: u32 length of the head, the head as JSON, then an encoded batch result when vectors are the answer.
 */

import { CorruptError, type SerializedError, type TextToken } from '@embedmill/contract';

/** Where the time of a part went at its worker, in milliseconds. */
export interface PartTimings {
  queueMs: number;
  inferMs: number;
}

/** What became of a part. */
export type PartAnswer = { part: string } & (
  | { kind: 'vectors'; timings: PartTimings; result: Uint8Array }
  | { kind: 'tokens'; tokens: TextToken[][] }
  /** Not done, and not for a fault of its own: ask another worker. */
  | { kind: 'handed-back' }
  /** Its worker ended over it, or over another part of the same job. */
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
    return head.kind === 'vectors' ? { ...head, result: source.subarray(end) } : head;
  } catch (cause) {
    throw new CorruptError('corrupt-answer', `an answer of ${bytes.byteLength} bytes cannot be read`, {
      cause,
    });
  }
}

function split(answer: PartAnswer): { head: object; result: Uint8Array } {
  if (answer.kind !== 'vectors') return { head: answer, result: new Uint8Array(0) };
  const { result, ...head } = answer;
  return { head, result };
}
