/** The native tokenizer against the library on many texts: `EMBEDMILL_FUZZ_TEXTS=1000000 npm run test:engine` compares more. */

import { readFileSync } from 'node:fs';
import { availableKernels, prepareModel } from '@embedmill/embed';
import { TOKENIZER_UNICODE } from '@embedmill/engine';
import { expect, test } from 'vitest';
import { TextTokenizer } from '../../packages/embed/dist/text/tokenizer.js';
import { temporaryFolder } from '../support/folder.ts';
import { differentIds, SCRIPTS, scriptTexts, wordsOf } from '../support/script-texts.ts';

const TEXTS = Number(process.env.EMBEDMILL_FUZZ_TEXTS ?? 100_000);
const SEED = Math.floor(Math.random() * 2 ** 32);

test.runIf(availableKernels().length > 0 && process.versions.unicode === TOKENIZER_UNICODE)(
  `${TEXTS} texts of ${SCRIPTS.length} scripts have the ids of the library`,
  async () => {
    const { tokenizerPath } = await prepareModel({ precision: 'int8', cacheDir: temporaryFolder() });
    const native = await TextTokenizer.read(tokenizerPath, 512);
    const library = await TextTokenizer.read(tokenizerPath, 512, { native: false });
    expect(native.isNative).toBe(true);
    const { model } = JSON.parse(readFileSync(tokenizerPath, 'utf8'));
    expect(
      differentIds(native, library, scriptTexts(SEED, TEXTS, wordsOf(model.vocab))),
      `seed ${SEED}`,
    ).toEqual([]);
  },
);
