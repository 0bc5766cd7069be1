/** Reads the prompts that a model was trained with: from its folder, else from the catalogue. */

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { catalogueModelOf, MAX_PROMPT_CHARS, type ModelPrompts } from '@embedmill/contract';
import { EmbedError } from '../errors.ts';
import { readRecord } from './model-record.ts';

/** No prompts: most models have none. */
export const NO_PROMPTS: ModelPrompts = { query: '', document: '' };

/** File of sentence-transformers. */
const PROMPTS_FILE = 'config_sentence_transformers.json';

/** Names that authors give the prompts, in the order in which they are looked up. */
const NAMES: Readonly<Record<keyof ModelPrompts, readonly string[]>> = {
  query: ['query', 's2p_query', 'search_query'],
  document: ['document', 'passage', 'corpus', 'search_document'],
};

/**
 * The prompts of a model folder and where they are stated.
 * @returns `NO_PROMPTS` itself if there are none
 * @throws {EmbedError} `MODEL_INVALID` for prompts that are not texts
 */
export async function readPrompts(root: string): Promise<{ value: ModelPrompts; source: string }> {
  const stated = await readStated(join(root, PROMPTS_FILE));
  if (stated !== null) return { value: stated, source: PROMPTS_FILE };
  const record = readRecord(root);
  const known = catalogueModelOf(record?.repository ?? basename(root));
  if (known === undefined || (known.prompts.query === '' && known.prompts.document === '')) {
    return { value: NO_PROMPTS, source: 'default, no file states any' };
  }
  const why = record === null ? 'by the name of the folder' : `of ${record.repository}`;
  return { value: known.prompts, source: `catalogue, ${why}` };
}

/** The prompts in the file; `null` if it has none. */
async function readStated(path: string): Promise<ModelPrompts | null> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  let prompts: Record<string, unknown>;
  try {
    prompts = Object(Object(JSON.parse(text)).prompts);
  } catch (cause) {
    throw new EmbedError('MODEL_INVALID', `"${path}" is not JSON`, { cause });
  }
  const read = (kind: keyof ModelPrompts): string => {
    const name = NAMES[kind].find((each) => prompts[each] !== undefined && prompts[each] !== null);
    const prompt = name === undefined ? '' : prompts[name];
    if (typeof prompt === 'string' && prompt.length <= MAX_PROMPT_CHARS) return prompt;
    throw new EmbedError(
      'MODEL_INVALID',
      `the prompt "${name}" in "${path}" is not a text of at most ${MAX_PROMPT_CHARS} characters`,
    );
  };
  const found = { query: read('query'), document: read('document') };
  return found.query === '' && found.document === '' ? null : found;
}
