/** BERT's WordPiece tokenizer in C++: texts in, token ids out. */
import { callNative, loadEngine, type NativeTokenizer } from './native.ts';

/** Version of the character tables (native/unicode-tables.h): the ids of a text do not depend on the one of Node.js. */
export const TOKENIZER_UNICODE = '17.0';

/** Settings of `BertNormalizer` and of the WordPiece model, with `clean_text` on and the prefix `##`. */
export interface WordPieceOptions {
  /** Token to id; every token has at least one character. */
  vocabulary: ReadonlyMap<string, number>;
  /** Tokens that are found in a text before it is normalized; the vocabulary need not have them. */
  added: ReadonlyMap<string, number>;
  lowerCase: boolean;
  stripAccents: boolean;
  /** Whether each CJK ideograph is a word. */
  splitIdeographs: boolean;
  /** Longer words are unknown; in code points, after normalization. */
  maxWordCharacters: number;
  /** Id of unknown words. */
  unknownId: number;
}

/**
 * A vocabulary as the addon takes it. Its arrays are in shared memory, so that threads which receive it in a message have no
 * copy of their own.
 */
export interface WordPieceTables {
  /** UTF-16 units of all tokens, one after the other. */
  units: Uint16Array<SharedArrayBuffer>;
  /** End of each token in `units`. */
  ends: Int32Array<SharedArrayBuffer>;
  /** Id of each token. */
  ids: Int32Array<SharedArrayBuffer>;
  /** See `openTokenizer` in native/addon.cpp. */
  settings: Int32Array<SharedArrayBuffer>;
}

/** Ids that fit without a second call: more than any text within a model's limit has. */
const BUFFER_IDS = 4096;

/** Not shared between threads. */
export class WordPieceTokenizer {
  readonly #native: NativeTokenizer;
  #ids = new Int32Array(BUFFER_IDS);

  /** @throws EngineError `engine-unavailable`, `weights-unsupported` or `input-invalid` */
  constructor({ units, ends, ids, settings }: WordPieceTables) {
    this.#native = callNative(() => loadEngine().openTokenizer(units, ends, ids, settings));
  }

  /** Returns the ids of a whole text, without special tokens around it. */
  idsOf(text: string): number[] {
    const count = this.#encode(text);
    const ids: number[] = new Array(count);
    for (let i = 0; i < count; i++) ids[i] = this.#ids[i]!;
    // A text far beyond the limit of any model must not keep its memory.
    if (this.#ids.length > BUFFER_IDS) this.#ids = new Int32Array(BUFFER_IDS);
    return ids;
  }

  /** Encodes a text into the buffer, which grows if needed; returns the number of ids. */
  #encode(text: string): number {
    const engine = loadEngine();
    const count = callNative(() => engine.encode(this.#native, text, this.#ids));
    if (count <= this.#ids.length) return count;
    this.#ids = new Int32Array(count);
    return callNative(() => engine.encode(this.#native, text, this.#ids));
  }
}

/** Writes a vocabulary and its settings as the addon takes them. */
export function wordPieceTables(options: WordPieceOptions): WordPieceTables {
  const entries = [
    ...[...options.vocabulary].filter(([token]) => !options.added.has(token)),
    ...options.added,
  ];
  const text = entries.map(([token]) => token).join('');
  const units = new Uint16Array(new SharedArrayBuffer(text.length * Uint16Array.BYTES_PER_ELEMENT));
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  const ends = sharedInts(entries.length);
  let end = 0;
  for (const [i, [token]] of entries.entries()) {
    end += token.length;
    ends[i] = end;
  }
  const ids = sharedInts(entries.length);
  ids.set(entries.map(([, id]) => id));
  const settings = sharedInts(6);
  settings.set([
    Number(options.lowerCase),
    Number(options.stripAccents),
    Number(options.splitIdeographs),
    options.maxWordCharacters,
    options.unknownId,
    options.added.size,
  ]);
  return { units, ends, ids, settings };
}

function sharedInts(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}
