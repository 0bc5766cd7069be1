/**
 * Opens the native tokenizer for a tokenizer.json whose settings it has; other files, and machines without the addon,
 * use the library `@huggingface/tokenizers`. The ids are equal, which a test shows.
 *
 * Decision: docs/decisions/0170.
 */

import { EngineError, type WordPieceOptions, WordPieceTokenizer, wordPieceTables } from '@embedmill/engine';

/** Fields of tokenizer.json that decide whether the native tokenizer has its settings. */
export interface WordPieceFile {
  normalizer: {
    type: string;
    clean_text?: boolean;
    handle_chinese_chars?: boolean;
    strip_accents?: boolean | null;
    lowercase?: boolean;
  } | null;
  pre_tokenizer: { type: string } | null;
  added_tokens: { id: number; content: string; special?: boolean; normalized?: boolean }[];
  model: {
    type?: string;
    vocab?: unknown;
    unk_token?: string | null;
    unk_id?: number | null;
    continuing_subword_prefix?: string;
    max_input_chars_per_word?: number;
    fuse_unk?: boolean;
  };
}

/** Characters that are changed before added tokens are found: an added token with one of them needs the library. */
const CHANGED = /[\sΣσ\u{20000}-\u{3ffff}]/u;

/**
 * Returns the native tokenizer for a file, or undefined if the file has other settings or this machine has no addon.
 */
export function openWordPiece(file: WordPieceFile): WordPieceTokenizer | undefined {
  const options = wordPieceOptions(file);
  if (options === undefined) return undefined;
  try {
    return new WordPieceTokenizer(wordPieceTables(options));
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

/** Returns the settings of a file as the native tokenizer takes them; undefined if it cannot have the same ids. */
export function wordPieceOptions(file: WordPieceFile): WordPieceOptions | undefined {
  const { normalizer, model } = file;
  if (normalizer?.type !== 'BertNormalizer' || file.pre_tokenizer?.type !== 'BertPreTokenizer')
    return undefined;
  if (typeof normalizer.lowercase !== 'boolean' || normalizer.clean_text !== true) return undefined;
  if (model.type !== 'WordPiece' || model.fuse_unk === true) return undefined;
  if (typeof model.vocab !== 'object' || model.vocab === null || Array.isArray(model.vocab)) return undefined;
  if (model.continuing_subword_prefix !== '##' || model.unk_token == null) return undefined;
  const maxWordCharacters = model.max_input_chars_per_word ?? 100;
  if (!Number.isSafeInteger(maxWordCharacters) || maxWordCharacters < 1 || maxWordCharacters > 10_000) {
    return undefined;
  }
  const isPlain = ({
    content,
    special = false,
    normalized = !special,
  }: WordPieceFile['added_tokens'][number]) => !normalized && content !== '' && !CHANGED.test(content);
  if (!file.added_tokens.every(isPlain)) return undefined;
  const added = new Map(file.added_tokens.map(({ content, id }) => [content, id]));
  const vocabulary = new Map(Object.entries(model.vocab as Record<string, number>));
  const unknownId = added.get(model.unk_token) ?? vocabulary.get(model.unk_token);
  if (unknownId === undefined || vocabulary.has('')) return undefined;
  const lowerCase = normalizer.lowercase;
  return {
    vocabulary,
    added,
    lowerCase,
    stripAccents: lowerCase ? normalizer.strip_accents !== false : Boolean(normalizer.strip_accents),
    splitIdeographs: normalizer.handle_chinese_chars === true,
    maxWordCharacters,
    unknownId,
  };
}
