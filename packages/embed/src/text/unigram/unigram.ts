/**
 * A Unigram tokenizer, as SentencePiece models have it: the ids of the reference (the Rust library `tokenizers`),
 * in time proportional to the text, and reading no more of a long text than is necessary.
 *
 * Decision: docs/decisions/0175.
 */

import type { VocabularyFacts } from '../unknown-tokens.ts';
import { Charsmap } from './charsmap.ts';
import { Viterbi } from './viterbi.ts';
import { splitTokenizerFile, type UnigramVocabulary } from './vocabulary.ts';

/** Ids of a text, or of its beginning or end, without special tokens. */
export interface PartialIds {
  ids: number[];
  /** UTF-16 units that were read; all of them, unless `maxIds` were found before. */
  readUnits: number;
}

interface AddedToken {
  id: number;
  content: string;
  single_word?: boolean;
  lstrip?: boolean;
  rstrip?: boolean;
  normalized?: boolean;
}

interface Step {
  type: string;
  [field: string]: unknown;
}

/** Fields of tokenizer.json that are read here. */
interface Settings {
  added_tokens?: AddedToken[];
  normalizer?: Step | null;
  pre_tokenizer?: Step | null;
  post_processor?: Step | null;
  model: { type?: string; unk_id?: number | string | null; byte_fallback?: boolean };
}

/** How a text becomes words. */
interface WordRule {
  replacement: string;
  prefix: boolean;
  /** Whether a word ends before each replacement. */
  splits: boolean;
  /** Whether white space separates words and is dropped. */
  byWhitespace: boolean;
}

type Normalize = (text: string) => string;

/** UTF-16 units read per id that is needed, at the first attempt. */
const UNITS_PER_ID = 6;

/** Search distance for a position where a text may be cut; then it is read whole. */
const CUT_SEARCH_UNITS = 4096;

/**
 * Letters beside which a text may be cut: no normalization joins two of them, or one and a space. All are
 * simple in the sense of `charsmap.ts`.
 */
const CUT_LETTER =
  /[A-Za-z0-9\u0410-\u0418\u041a-\u0438\u043a-\u044f\u05d0-\u05ea\u0628-\u063a\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]/;

/** Words whose ids are kept, since texts repeat them. */
const MAX_REMEMBERED_WORDS = 20_000;
const MAX_REMEMBERED_UNITS = 24;

/** A Unigram tokenizer. */
export class UnigramTokenizer {
  /** Special tokens before and after the text. */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  readonly unknownId: number;
  readonly #vocabulary: UnigramVocabulary;
  readonly #added: ReadonlyMap<string, number>;
  readonly #addedNames: ReadonlyMap<number, string>;
  readonly #rawTokens: RegExp | undefined;
  readonly #normalizedTokens: RegExp | undefined;
  readonly #normalize: Normalize;
  readonly #words: WordRule;
  readonly #viterbi: Viterbi;
  /** Added tokens, and the length of the longest. */
  readonly #tokens: readonly string[];
  readonly #maxTokenUnits: number;
  readonly #remembered = new Map<string, number[]>();

  private constructor(vocabulary: UnigramVocabulary, parts: SupportedParts) {
    const { added, frame, normalize, words, unknownId } = parts;
    this.#vocabulary = vocabulary;
    this.#added = new Map(added.map(({ content, id }) => [content, id]));
    this.#addedNames = new Map(added.map(({ content, id }) => [id, content]));
    this.#rawTokens = tokenPattern(added.filter(({ normalized }) => normalized !== true));
    this.#normalizedTokens = tokenPattern(added.filter(({ normalized }) => normalized === true));
    this.#tokens = added.map(({ content }) => content);
    this.#maxTokenUnits = this.#tokens.reduce((max, { length }) => Math.max(max, length), 0);
    this.#normalize = normalize;
    this.#words = words;
    this.unknownId = unknownId;
    this.prefix = frame.prefix;
    this.suffix = frame.suffix;
    this.#viterbi = new Viterbi(vocabulary.trie, vocabulary.scores, unknownId);
  }

  /**
   * Reads the bytes of a tokenizer.json.
   * @returns undefined for another model, or a normalizer, pre-tokenizer or post-processor that is not known here
   * @throws {SyntaxError} if the file is not JSON
   */
  static read(file: Buffer): UnigramTokenizer | undefined {
    const split = splitTokenizerFile(file);
    if (split === undefined) return undefined;
    const parts = readParts(split.settings as Settings);
    return parts && new UnigramTokenizer(split.vocabulary, parts);
  }

  /** Facts for the language signal. */
  get vocabulary(): VocabularyFacts {
    return {
      tokenOf: (id) => this.tokenOf(id),
      specialIds: new Set(this.#addedNames.keys()),
      unknownId: this.unknownId,
      isByteLevel: false,
    };
  }

  /** Returns the text of a token; undefined for an id outside the vocabulary. */
  tokenOf(id: number): string | undefined {
    return this.#addedNames.get(id) ?? this.#vocabulary.pieceOf(id);
  }

  /**
   * Returns the ids of a text without special tokens; of its beginning if that has `maxIds`, and then those that
   * the whole text begins with.
   */
  encode(text: string, maxIds = Infinity): PartialIds {
    for (let units = UNITS_PER_ID * maxIds; units < text.length; units *= 4) {
      const cut = this.#findCut(text, units);
      if (cut === undefined) break;
      const ids = this.#segments(text.slice(0, cut), true, maxIds);
      if (ids.length >= maxIds) return { ids, readUnits: cut };
    }
    return { ids: this.#segments(text, false, Infinity), readUnits: text.length };
  }

  /**
   * Returns the ids of the whole text, of which the last `maxIds` are needed: the ids of an end depend on all
   * before it.
   */
  encodeEnd(text: string, _maxIds: number): PartialIds {
    return this.encode(text);
  }

  /** Returns a position after `units` between two letters, or a letter and a space, and in no added token. */
  #findCut(text: string, units: number): number | undefined {
    for (let at = units; at < Math.min(text.length, units + CUT_SEARCH_UNITS); at++) {
      const next = text[at]!;
      if (!CUT_LETTER.test(text[at - 1]!) || !(next === ' ' || CUT_LETTER.test(next))) continue;
      const around = text.slice(at - this.#maxTokenUnits, at + this.#maxTokenUnits);
      if (!this.#tokens.some((token) => around.includes(token))) return at;
    }
    return undefined;
  }

  /** Splits at added tokens. `isOpen`: the text goes on, so that the ids of its last word are not final. */
  #segments(text: string, isOpen: boolean, maxIds: number): number[] {
    const ids: number[] = [];
    const tokens = this.#rawTokens;
    if (tokens === undefined) this.#normalized(text, isOpen, maxIds, ids);
    else {
      eachSegment(text, tokens, (segment, token, isLast) => {
        this.#normalized(segment, isOpen && isLast, maxIds, ids);
        if (token !== undefined) ids.push(this.#addedId(token));
      });
    }
    return ids;
  }

  #normalized(segment: string, isOpen: boolean, maxIds: number, ids: number[]): void {
    const text = this.#normalize(segment);
    const tokens = this.#normalizedTokens;
    if (tokens === undefined) this.#segment(text, isOpen, maxIds, ids);
    else {
      eachSegment(text, tokens, (part, token, isLast) => {
        this.#segment(part, isOpen && isLast, maxIds, ids);
        if (token !== undefined) ids.push(this.#addedId(token));
      });
    }
  }

  /** Returns the id of an added token that was found with the white space around it. */
  #addedId(found: string): number {
    return (this.#added.get(found) ?? this.#added.get(found.trim()))!;
  }

  #segment(text: string, isOpen: boolean, maxIds: number, ids: number[]): void {
    const { replacement, prefix, splits, byWhitespace } = this.#words;
    const parts = byWhitespace ? text.split(/\p{White_Space}+/u) : [text.replaceAll(' ', replacement)];
    for (const [i, part] of parts.entries()) {
      const isLastPart = i === parts.length - 1;
      if (part === '' || ids.length >= maxIds) continue;
      const line = prefix && !part.startsWith(replacement) ? replacement + part : part;
      for (let from = 0; from < line.length && ids.length < maxIds; ) {
        const next = splits ? line.indexOf(replacement, from + 1) : -1;
        const to = next < 0 ? line.length : next;
        const isOpenWord = isOpen && isLastPart && to === line.length;
        for (const id of this.#word(line.slice(from, to), isOpenWord, maxIds - ids.length)) ids.push(id);
        from = to;
      }
    }
  }

  #word(word: string, isOpen: boolean, maxIds: number): readonly number[] {
    if (isOpen || word.length > MAX_REMEMBERED_UNITS) return this.#viterbi.split(word, isOpen, maxIds);
    const known = this.#remembered.get(word);
    if (known !== undefined) return known;
    const ids = this.#viterbi.split(word, false, Infinity);
    if (this.#remembered.size >= MAX_REMEMBERED_WORDS) this.#remembered.clear();
    this.#remembered.set(word, ids);
    return ids;
  }
}

interface SupportedParts {
  added: AddedToken[];
  frame: { prefix: number[]; suffix: number[] };
  normalize: Normalize;
  words: WordRule;
  unknownId: number;
}

function readParts(settings: Settings): SupportedParts | undefined {
  const { added_tokens: added = [], model } = settings;
  const unknownId = Number(model.unk_id ?? Number.NaN);
  const frame = readFrame(settings.post_processor ?? undefined);
  const normalize = readNormalizer(settings.normalizer ?? undefined);
  const words = readWordRule(settings.pre_tokenizer ?? undefined);
  const isPlain = added.every(({ content, single_word }) => content !== '' && single_word !== true);
  if (model.type !== 'Unigram' || model.byte_fallback === true || !Number.isSafeInteger(unknownId)) {
    return undefined;
  }
  if (!frame || !normalize || !words || !isPlain) return undefined;
  return { added, frame, normalize, words, unknownId };
}

/** Reads the special tokens around a single text. */
function readFrame(step: Step | undefined): { prefix: number[]; suffix: number[] } | undefined {
  if (step === undefined) return { prefix: [], suffix: [] };
  if (step.type === 'RobertaProcessing' || step.type === 'BertProcessing') {
    const { cls, sep } = step as unknown as Record<'cls' | 'sep', [string, number]>;
    return { prefix: [cls[1]], suffix: [sep[1]] };
  }
  if (step.type !== 'TemplateProcessing') return undefined;
  const { single, special_tokens: tokens } = step as unknown as {
    single: { Sequence?: unknown; SpecialToken?: { id: string } }[];
    special_tokens: Record<string, { ids: number[] }>;
  };
  const at = single.findIndex(({ Sequence }) => Sequence !== undefined);
  const idsOf = (part: typeof single) =>
    part.flatMap(({ SpecialToken }) => (SpecialToken ? tokens[SpecialToken.id]!.ids : []));
  return at < 0 ? undefined : { prefix: idsOf(single.slice(0, at)), suffix: idsOf(single.slice(at + 1)) };
}

function readNormalizer(step: Step | undefined): Normalize | undefined {
  if (step === undefined) return (text) => text;
  switch (step.type) {
    case 'Sequence': {
      const steps = (step.normalizers as Step[]).map(readNormalizer);
      if (steps.some((each) => each === undefined)) return undefined;
      return (text) => steps.reduce((result, each) => each!(result), text);
    }
    case 'Precompiled': {
      const map = new Charsmap(step.precompiled_charsmap as string);
      return (text) => map.apply(text);
    }
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const { type } = step;
      return (text) => text.normalize(type);
    }
    case 'Replace': {
      const { pattern, content } = step as unknown as {
        pattern: { String?: string; Regex?: string };
        content: string;
      };
      // The only regular expression of published files; others may mean something else in JavaScript.
      if (pattern.Regex === ' {2,}') return (text) => text.replace(/ {2,}/g, () => content);
      const { String: literal } = pattern;
      return literal ? (text) => text.replaceAll(literal, () => content) : undefined;
    }
    default:
      return undefined;
  }
}

function readWordRule(step: Step | undefined): WordRule | undefined {
  if (step?.type === 'Sequence') {
    const [first, second, ...rest] = step.pretokenizers as Step[];
    if (first?.type !== 'WhitespaceSplit' || rest.length > 0) return undefined;
    const rule = readWordRule(second);
    return rule && { ...rule, byWhitespace: true };
  }
  if (step?.type !== 'Metaspace') return undefined;
  const {
    replacement,
    add_prefix_space: added,
    prepend_scheme: scheme,
    split,
  } = step as unknown as {
    replacement: string;
    add_prefix_space?: boolean;
    prepend_scheme?: 'always' | 'never' | 'first';
    split?: boolean;
  };
  if (scheme === 'first') return undefined;
  const prefix = scheme === undefined ? added !== false : scheme === 'always';
  return { replacement, prefix, splits: split !== false, byWhitespace: false };
}

/** Pattern of the tokens, the longest first. */
function tokenPattern(tokens: readonly AddedToken[]): RegExp | undefined {
  if (tokens.length === 0) return undefined;
  const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const blank = '\\p{White_Space}*';
  const alternatives = [...tokens]
    .sort((a, b) => b.content.length - a.content.length)
    .map(({ content, lstrip, rstrip }) => `${lstrip ? blank : ''}${escaped(content)}${rstrip ? blank : ''}`);
  return new RegExp(`(?:${alternatives.join('|')})`, 'gu');
}

/** Calls back with each part between two tokens, and the token after it. */
function eachSegment(
  text: string,
  tokens: RegExp,
  visit: (segment: string, token: string | undefined, isLast: boolean) => void,
): void {
  let done = 0;
  for (const match of text.matchAll(tokens)) {
    visit(text.slice(done, match.index), match[0], false);
    done = match.index + match[0].length;
  }
  visit(text.slice(done), undefined, true);
}
