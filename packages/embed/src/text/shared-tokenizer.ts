/**
 * A WordPiece tokenizer that all threads of a process share: one of them reads the file, the others receive its tables in
 * shared memory and need neither the file nor the library.
 */

import type { WordPieceTables, WordPieceTokenizer } from '@embedmill/engine';
import type { SubwordTokenizer } from './subwords.ts';
import type { PartialIds } from './unigram/unigram.ts';
import type { VocabularyFacts } from './unknown-tokens.ts';

/** Facts of a BERT tokenizer. */
export interface BertFacts {
  lowercase: boolean;
  /** Whether ideographs are words. */
  ideographs: boolean;
  /** Characters of added tokens behind their first. */
  inner: ReadonlySet<string>;
}

/** What `shareTokenizer` makes: a message to threads, which open it with `TextTokenizer.openShared`. */
export interface SharedTokenizer {
  tables: WordPieceTables;
  /** 1 for each id that the vocabulary does not know. */
  unknown: Uint8Array<SharedArrayBuffer>;
  /** Special tokens before and after a text. */
  prefix: readonly number[];
  suffix: readonly number[];
  bert: BertFacts;
  unknownId: number;
}

/** A shared tokenizer as the port that the library's adapter has as well. */
export class SharedWordPiece implements SubwordTokenizer {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
  readonly vocabulary: VocabularyFacts;
  readonly #shared: SharedTokenizer;
  readonly #native: WordPieceTokenizer;
  /** Place of the token of each id in the tables, or −1; built on first use. */
  #placeOf: Int32Array | undefined;

  constructor(shared: SharedTokenizer, native: WordPieceTokenizer) {
    this.#shared = shared;
    this.#native = native;
    this.prefix = shared.prefix;
    this.suffix = shared.suffix;
    this.vocabulary = {
      tokenOf: (id) => this.tokenOf(id),
      specialIds: new Set(),
      unknownId: shared.unknownId,
      isByteLevel: false,
    };
  }

  /** Ids of the whole text: `cut.ts` cuts long texts for BERT. */
  encode(text: string): PartialIds {
    return { ids: this.#native.idsOf(text), readUnits: text.length };
  }

  encodeEnd(text: string): PartialIds {
    return this.encode(text);
  }

  tokenOf(id: number): string | undefined {
    const { units, ends } = this.#shared.tables;
    this.#placeOf ??= this.#places();
    const place = this.#placeOf[id] ?? -1;
    if (place === -1) return undefined;
    return String.fromCharCode(...units.subarray(place === 0 ? 0 : ends[place - 1]!, ends[place]!));
  }

  #places(): Int32Array {
    const { ids } = this.#shared.tables;
    const places = new Int32Array(ids.reduce((max, id) => Math.max(max, id), -1) + 1).fill(-1);
    for (const [place, id] of ids.entries()) places[id] = place;
    return places;
  }
}
