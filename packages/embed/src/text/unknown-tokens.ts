/**
 * Finds the token ids that say nothing about a text: the unknown token, and letters of scripts of which the
 * vocabulary has little more than letters.
 *
 * Why not the unknown token alone: the vocabulary of BERT has the single letters of many scripts, so that Thai or
 * Arabic text has hardly an unknown token, although the model has never learned a word of it. The vocabulary shows
 * which words a model can know, not which languages it was trained on: German is not detected with an English
 * model, because both have Latin letters.
 *
 * Decision: docs/decisions/0176.
 */

import { scriptOf } from '@embedmill/contract';

/**
 * Minimum pieces of two letters and more of a script that a vocabulary knows. all-MiniLM-L6-v2 has 27,534 of Latin,
 * at most 8 of any other; multilingual-e5-small has more than 1,400 of each of its scripts.
 */
const MIN_WORD_PIECES = 100;
/** Share of these pieces that suffices for a smaller vocabulary. */
const MIN_WORD_PIECE_SHARE = 0.01;

/**
 * Minimum ideographs of a vocabulary that knows Chinese, whose words have one or two. all-MiniLM-L6-v2 has 488,
 * multilingual-e5-small 7,719, bge-small-zh-v1.5 14,644.
 */
const MIN_IDEOGRAPHS = 2_000;

/** Marks of the beginning or continuation of words. */
const WORD_MARKS = /^(##|▁|Ġ)+/;

/** Facts of a vocabulary. */
export interface VocabularyFacts {
  /** Returns the text of a token; undefined for an id after the last one. */
  tokenOf(id: number): string | undefined;
  /** Ids that are never unknown, such as those of special tokens. */
  specialIds: ReadonlySet<number>;
  /** Id of the unknown token; undefined if there is none. */
  unknownId: number | undefined;
  /** Whether pieces are written in the characters of byte-level BPE. */
  isByteLevel: boolean;
}

/** What {@link readScripts} finds in a vocabulary. */
interface VocabularyScripts {
  /** Script of each id; undefined for pieces without letters, with several scripts, or that are special tokens. */
  scripts: (string | undefined)[];
  /** Ids that are a part of a character. */
  fragments: number[];
  known: Set<string>;
}

/** Returns the scripts of which a vocabulary has words, sorted. */
export function knownScripts(facts: VocabularyFacts): string[] {
  return [...readScripts(facts).known].sort();
}

/** Returns a table with 1 for each unknown id. */
export function unknownTable(facts: VocabularyFacts): Uint8Array {
  const { scripts, fragments, known } = readScripts(facts);
  const table = Uint8Array.from(scripts, (script) => (script === undefined || known.has(script) ? 0 : 1));
  for (const id of fragments) table[id] = 1;
  if (facts.unknownId !== undefined) table[facts.unknownId] = 1;
  return table;
}

function readScripts({ tokenOf, specialIds, isByteLevel }: VocabularyFacts): VocabularyScripts {
  const scripts: (string | undefined)[] = [];
  const wordPieces = new Map<string, number>();
  const singles = new Map<string, number>();
  const fragments: number[] = [];
  for (let id = 0; ; id++) {
    const token = tokenOf(id);
    if (token === undefined) break;
    const text = isByteLevel ? textOfBytes(token) : token.replace(WORD_MARKS, '');
    if (text === undefined) fragments.push(id);
    const { script, letters } = lettersOf(text ?? '');
    scripts.push(specialIds.has(id) ? undefined : script);
    if (script === undefined) continue;
    const counts = letters > 1 ? wordPieces : singles;
    counts.set(script, (counts.get(script) ?? 0) + 1);
  }
  const isKnown = (script: string): boolean =>
    (wordPieces.get(script) ?? 0) >= Math.min(MIN_WORD_PIECES, MIN_WORD_PIECE_SHARE * scripts.length) ||
    (script === 'Chinese' && (singles.get(script) ?? 0) >= MIN_IDEOGRAPHS);
  const known = new Set([...wordPieces.keys(), ...singles.keys()].filter(isKnown));
  return { scripts, fragments, known };
}

/** Returns the script and number of the letters of a piece; no script if it has several. */
function lettersOf(text: string): { script: string | undefined; letters: number } {
  let [script, letters] = [undefined as string | undefined, 0];
  for (const character of text) {
    const found = scriptOf(character.codePointAt(0)!);
    if (found === undefined) continue;
    if (script !== undefined && found !== script) return { script: undefined, letters: 0 };
    script = found;
    letters += 1;
  }
  return { script, letters };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes of the characters that byte-level BPE writes for them (GPT-2). */
const BYTES = new Map<string, number>();
for (let byte = 0, next = 256; byte < 256; byte++) {
  const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  BYTES.set(String.fromCharCode(isPrintable ? byte : next++), byte);
}

/** Returns the text of a byte-level piece; undefined for a part of a character. */
function textOfBytes(token: string): string | undefined {
  const bytes = Array.from(token, (character) => BYTES.get(character));
  if (bytes.some((byte) => byte === undefined)) return token;
  try {
    return UTF8.decode(Uint8Array.from(bytes as number[]));
  } catch {
    return undefined;
  }
}
