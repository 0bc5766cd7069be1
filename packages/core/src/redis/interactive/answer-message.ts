/**
 * Messages on a producer's channel: written by workers, read by the lane.
 *
 * Little-endian: u32 length of the head, the head as JSON, then the encoded batch results of the answers with vectors, in
 * order.
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
  | { kind: 'failed'; error: SerializedError }
);

/** One message. */
export type AnswerMessage =
  | { kind: 'answers'; answers: PartAnswer[] }
  /** A worker has taken these messages of calls and has not answered all their parts. */
  | { kind: 'holding'; worker: string; messages: string[] };

/** The head of an answer: the length of its result in place of the result. */
type AnswerHead = Record<string, unknown> & { part: string; kind: string; bytes?: number };

const LENGTH_BYTES = 4;

/** Message → bytes. */
export function encodeAnswerMessage(message: AnswerMessage): Buffer {
  const results: Uint8Array[] = [];
  const head =
    message.kind === 'holding'
      ? message
      : {
          answers: message.answers.map((answer) => {
            if (answer.kind !== 'vectors') return answer;
            const { result, ...rest } = answer;
            results.push(result);
            return { ...rest, bytes: result.byteLength };
          }),
        };
  const headBytes = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(headBytes.byteLength);
  return Buffer.concat([length, headBytes, ...results]);
}

/**
 * Bytes → message; results are views of the bytes.
 * @throws {CorruptError} `corrupt-answer`
 */
export function decodeAnswerMessage(bytes: Uint8Array): AnswerMessage {
  try {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let end = LENGTH_BYTES + source.readUInt32LE(0);
    const head = JSON.parse(source.toString('utf8', LENGTH_BYTES, end));
    if (head.kind === 'holding') {
      const { worker, messages } = head;
      if (typeof worker !== 'string' || !Array.isArray(messages)) throw new Error('its head lacks fields');
      return { kind: 'holding', worker, messages };
    }
    const answers = (head.answers as AnswerHead[]).map((answer) => {
      if (typeof answer.part !== 'string' || !isComplete(answer)) throw new Error('its head lacks fields');
      if (answer.kind !== 'vectors') return answer;
      const start = end;
      end += answer.bytes!;
      if (end > source.byteLength) throw new Error('a result is cut off');
      return { ...answer, result: source.subarray(start, end) };
    });
    return { kind: 'answers', answers: answers as unknown as PartAnswer[] };
  } catch (cause) {
    throw new CorruptError(
      'corrupt-answer',
      `an answer of ${bytes.byteLength} bytes is not in the expected format`,
      { cause },
    );
  }
}

/** Whether the head of an answer has the fields of its kind. */
function isComplete(head: AnswerHead): boolean {
  if (head.kind === 'vectors')
    return typeof head.timings === 'object' && head.timings !== null && Number.isSafeInteger(head.bytes);
  if (head.kind === 'tokens') return Array.isArray(head.tokens);
  if (head.kind === 'failed') {
    const { code, message } = (head.error ?? {}) as Record<string, unknown>;
    return typeof code === 'string' && typeof message === 'string';
  }
  return head.kind === 'handed-back';
}
