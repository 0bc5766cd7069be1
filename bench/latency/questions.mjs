/** Texts of one length in tokens, made of the sample; `main.mjs` asks for their vectors. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Embedder, prepareModel } from '@embedmill/embed';
import { readTexts } from '../support/texts.mjs';

/** Tokens of every question, [CLS] and [SEP] included. */
export const QUESTION_TOKENS = 60;

/** @returns {Promise<string[]>} `count` texts, no two alike */
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
    // A word of several tokens can leap over the length.
    if (embedder.countTokens(text) === QUESTION_TOKENS) found.push(text);
    at = end;
  }
  await embedder.close();
  return found;
}
