/** Blank texts of the compatible APIs, with models that embed the special tokens alone and with those that do not. */

import { expect, test } from 'vitest';
import { embedTexts } from '../../../apps/producer/src/compatible/embed-texts.ts';
import { firstFault } from '../../../apps/producer/src/compatible/outcomes.ts';
import { openAiTextError } from '../../../apps/producer/src/openai/errors.ts';
import { hashLane, SPECIAL_TOKENS } from '../../support/hash-lane.ts';
import { hashVector } from '../../support/hash-worker.ts';

type Options = Parameters<typeof embedTexts>[2];
const OPTIONS = {} as Options;

test('have the vector of the special tokens', async () => {
  const { outcomes, vectors } = await embedTexts(hashLane(), ['a kettle', ' '], OPTIONS);
  expect(outcomes.map(({ verdict }) => verdict)).toEqual(['ok', 'ok']);
  expect(vectors.slice(vectors.length / 2)).toEqual(hashVector(SPECIAL_TOKENS));
});

test('stay empty with a static model, which has no vector for special tokens', async () => {
  const failed = { verdict: 'failed', tokens: 0, lostTokens: 0, message: 'no finite vector' } as const;
  const lane = hashLane({ outcomes: { [SPECIAL_TOKENS]: failed } });
  const answer = await embedTexts(lane, ['a kettle', ' '], OPTIONS);
  const found = firstFault(answer, true, ['a kettle', ' ']);
  expect(found).toEqual({ index: 1, fault: { kind: 'empty', message: undefined } });
});

test('of unknown tokens alone are refused with the reason', async () => {
  const message = 'all tokens of the text are unknown to the model';
  const empty = { verdict: 'empty', tokens: 2, lostTokens: 0, unknownTokens: 2, message } as const;
  const found = firstFault({ outcomes: [empty] }, true, ['电池']);
  expect(found?.fault).toEqual({ kind: 'empty', message });
  expect(openAiTextError(found!.fault).message).toContain(message);
});
