/** Texts with the same number of tokens, composed of words of the sample. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Embedder, prepareModel } from '@embedmill/embed';
import { readTexts } from '../support/texts.mjs';

/** Tokens per question, including [CLS] and [SEP]. */
export const QUESTION_TOKENS = 60;

/** @returns {Promise<string[]>} `count` distinct texts */
export async function questions(count) {
  const model = await prepareModel({ precision: 'int8', cacheDir: join(tmpdir(), 'embedmill-bench') });
  const embedder = await Embedder.open(model);
  const words = (await readTexts()).join(' ').split(/\s+/);
  const found = [];
  for (let at = 0; found.length < count; ) {
    let end = at + 1;
    const textTo = (last) => words.slice(at, last).join(' ');
    while (embedder.countTokens(textTo(end + 1)) <= QUESTION_TOKENS) end += 1;
    const text = textTo(end);
    // A word with several tokens can exceed the length.
    if (embedder.countTokens(text) === QUESTION_TOKENS) found.push(text);
    at = end;
  }
  await embedder.close();
  return found;
}
