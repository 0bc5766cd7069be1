/** Messages of the interactive lane: what is written is read again, and anything else is refused. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAnswerMessage,
  encodeAnswerMessage,
  type PartAnswer,
} from '../../../packages/core/src/redis/interactive/answer-message.ts';
import {
  decodeCallMessage,
  encodeCallMessage,
} from '../../../packages/core/src/redis/interactive/call-message.ts';

const part = fc.uuid();
const answer: fc.Arbitrary<PartAnswer> = fc.oneof(
  fc.record({
    part,
    kind: fc.constant('vectors' as const),
    timings: fc.record({ queueMs: fc.nat(), inferMs: fc.nat() }),
    result: fc.uint8Array({ maxLength: 50 }),
  }),
  fc.record({ part, kind: fc.constant('handed-back' as const) }),
  fc.record({
    part,
    kind: fc.constant('failed' as const),
    error: fc.record({
      name: fc.string(),
      code: fc.string(),
      message: fc.string(),
      retryable: fc.boolean(),
    }),
  }),
);

/** Results as plain bytes, so that views and copies compare. */
const plain = (answers: readonly PartAnswer[]) =>
  answers.map((one) =>
    one.kind === 'vectors' ? { ...one, bytes: undefined, result: [...one.result] } : one,
  );

describe('answers', () => {
  it('keep their parts and results, however many share a message', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 6 }), (answers) => {
        const decoded = decodeAnswerMessage(encodeAnswerMessage({ kind: 'answers', answers }));
        expect(decoded.kind).toBe('answers');
        expect(plain((decoded as { answers: PartAnswer[] }).answers)).toEqual(plain(answers));
      }),
    );
  });

  it('are refused when a result is cut off, and when they are no message at all', () => {
    const result = new Uint8Array(8);
    const timings = { queueMs: 1, inferMs: 2 };
    const whole = encodeAnswerMessage({
      kind: 'answers',
      answers: [{ part: 'a', kind: 'vectors', timings, result }],
    });
    for (const bytes of [whole.subarray(0, -1), Buffer.from('abc'), Buffer.from('\u0004\0\0\0null')])
      expect(() => decodeAnswerMessage(bytes)).toThrow('not in the expected format');
  });

  it('differ from the report of messages that a worker holds', () => {
    const report = { kind: 'holding', worker: 'w', messages: ['a', 'b'] } as const;
    expect(decodeAnswerMessage(encodeAnswerMessage({ ...report, messages: ['a', 'b'] }))).toEqual(report);
  });
});

describe('messages of calls', () => {
  it('keep texts of any characters', () => {
    const work = { kind: 'tokenize', specialTokens: false } as const;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 3 }), (texts) => {
        const message = {
          id: 'm',
          producer: 'p',
          enqueuedAt: 1,
          parts: [{ id: 'a', texts, work, deadline: 2 }],
        };
        expect(decodeCallMessage(encodeCallMessage(message))).toEqual(message);
      }),
    );
  });

  it.each(['', '{', 'null', '[]', '{"id":"m","producer":"p","enqueuedAt":1,"parts":[null]}', '{"id":"m"}'])(
    'are null for %j',
    (text) => {
      expect(decodeCallMessage(text)).toBeNull();
    },
  );
});
