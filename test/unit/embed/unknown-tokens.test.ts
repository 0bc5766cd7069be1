/** Tests the language signal: scripts of texts, unknown tokens of vocabularies, and the messages. */

import {
  countScripts,
  describeScripts,
  describeUnknownTokens,
  mostFrequent,
  scriptOf,
  summarizeOutcomes,
} from '@embedmill/contract';
import { describe, expect, test } from 'vitest';
import { unknownTable } from '../../../packages/embed/src/text/unknown-tokens.ts';
import { openBuiltIn } from './models.ts';

describe('scripts', () => {
  test.each([
    ['The battery died.', 'Latin'],
    ['电池一天都用不完', 'Chinese'],
    ['電池は一日も持ちません', 'Japanese'],
    ['배터리가 하루도 못 가요', 'Korean'],
    ['แบตเตอรี่หมดเร็วมาก', 'Thai'],
    ['البطارية تنفد بسرعة', 'Arabic'],
    ['बैटरी जल्दी ख़त्म होती है', 'Devanagari'],
    ['батарея быстро садится', 'Cyrillic'],
    ['𠀀𠀁 𠀂', 'Chinese'],
    ['👍🏽 123 …', undefined],
  ])('%s is %s', (text, script) => {
    expect(mostFrequent(countScripts(text))).toBe(script);
  });

  test.each([
    [0x41, 'Latin'],
    [0x1f00, 'Greek'],
    [0x3131, 'Korean'],
    [0xfefc, 'Arabic'],
    [0x31349, 'Chinese'],
    [0x5b, undefined],
    [0xd7, undefined],
    [0x0e47, undefined],
    [0x1f44d, undefined],
  ])('%i has a script only if it is a letter', (codePoint, script) => {
    expect(scriptOf(codePoint)).toBe(script);
  });
});

describe('unknown tokens', () => {
  const tableOf = (pieces: readonly string[], isByteLevel = false) => [
    ...unknownTable({
      tokenOf: (id) => pieces[id],
      specialIds: new Set([0]),
      unknownId: 1,
      isByteLevel,
    }),
  ];

  test('are the unknown token, and letters of scripts without words', () => {
    const pieces = ['[CLS]', '[UNK]', 'cat', '##s', 'ก', '##ข', 'мир', '5', '!', '东'];
    expect(tableOf(pieces)).toEqual([0, 1, 0, 0, 1, 1, 0, 0, 0, 1]);
  });

  test('of byte-level BPE are parts of characters', () => {
    // "Ġthe", "é" whole, the first byte of "é", a word of Thai letters in bytes.
    expect(tableOf(['<s>', '<unk>', 'Ġthe', 'Ã©', 'Ã'], true)).toEqual([0, 1, 0, 0, 1]);
  });

  test('of the built-in model are counted per text', async () => {
    const embedder = await openBuiltIn('int8');
    const outcome = (text: string) => embedder.embed(text, new Float32Array(384), 0);
    expect(await outcome('The battery died after a week.')).toEqual({
      verdict: 'ok',
      tokens: 9,
      lostTokens: 0,
    });
    expect(await outcome('电池不好')).toMatchObject({ tokens: 6, unknownTokens: 4, script: 'Chinese' });
    // BERT knows the letters of Arabic, and no word.
    expect(await outcome('البطارية')).toMatchObject({ script: 'Arabic', unknownTokens: expect.any(Number) });
    const { tokens, unknownTokens } = await outcome('البطارية تنفد');
    expect(unknownTokens).toBe(tokens - 2);
  });

  test('add up by script', () => {
    const outcome = { verdict: 'ok', tokens: 9, lostTokens: 0 } as const;
    const outcomes = [
      outcome,
      { ...outcome, unknownTokens: 4, script: 'Thai' },
      { ...outcome, unknownTokens: 2, script: 'Thai' },
      { ...outcome, unknownTokens: 1 },
    ];
    expect(summarizeOutcomes(outcomes).unknownTokens).toEqual({ Thai: 6, '': 1 });
    expect(summarizeOutcomes([outcome])).not.toHaveProperty('unknownTokens');
  });
});

describe('the message', () => {
  const MODEL = 'all-MiniLM-L6-v2';

  test('names the share, the script and what helps', () => {
    const figures = { tokens: 1000, specialTokens: 0, unknownTokens: 380, unknownScript: 'Chinese' };
    expect(describeUnknownTokens(figures, MODEL)).toBe(
      '38 % of the tokens of these texts are unknown to all-MiniLM-L6-v2 (mostly Chinese); use --model multilingual',
    );
    expect(describeUnknownTokens({ ...figures, unknownScript: null }, 'bge-small-zh')).toBe(
      '38 % of the tokens of these texts are unknown to bge-small-zh (emoji and symbols)',
    );
    expect(describeUnknownTokens({ ...figures, unknownScript: 'Thai' }, 'bge-small-zh')).toMatch(
      /\(mostly Thai\); use a model for this language$/,
    );
    expect(describeUnknownTokens({ ...figures, unknownTokens: 49 }, MODEL)).toBeNull();
    // [CLS] and [SEP] are no tokens of a text.
    expect(describeUnknownTokens({ ...figures, specialTokens: 240 }, MODEL)).toMatch(/^50 % /);
    expect(
      describeUnknownTokens({ tokens: 0, specialTokens: 0, unknownTokens: 0, unknownScript: null }, MODEL),
    ).toBeNull();
  });

  test('about a sample depends on its letters and on the model', () => {
    expect(describeScripts({ Latin: 60, Thai: 30, Greek: 10 }, MODEL)).toBe(
      '40 % of the letters of the first texts are in scripts unknown to all-MiniLM-L6-v2 (mostly Thai); use --model multilingual',
    );
    expect(describeScripts({ Latin: 96, Thai: 4 }, MODEL)).toBeNull();
    expect(describeScripts({}, MODEL)).toBeNull();
    expect(describeScripts({ Thai: 9 }, 'not-installed')).toBeNull();
    expect(describeScripts({ Thai: 9, Latin: 1 }, 'e5', ['Latin', 'Thai'])).toBeNull();
    expect(describeScripts({ Thai: 9, Chinese: 1 }, 'bge-small-zh', ['Chinese', 'Latin'])).toBe(
      '90 % of the letters of the first texts are in scripts unknown to bge-small-zh (mostly Thai); use a model for this language',
    );
    expect(describeScripts({ Thai: 9 }, 'static')).toMatch(/unknown to static \(mostly Thai\)/);
  });
});
