/**
 * Normalizes texts by the character map of SentencePiece (`Precompiled` in tokenizer.json), with the results of
 * the reference, the Rust library `tokenizers`.
 *
 * The map is a double array of byte prefixes (darts-clone), followed by the replacements, each ended by a zero
 * byte. The reference replaces a grapheme of less than 6 bytes as a whole if the map has its beginning, else each
 * code point. So the parts of カ + U+3099, 6 bytes, stay apart, although NFKC composes them.
 */

/** Maximum bytes of a grapheme that is replaced as a whole, plus one. */
const WHOLE_GRAPHEME_BYTES = 6;

/**
 * Characters that are a grapheme of their own beside each other: printable ASCII, and letters of scripts whose
 * letters do not combine.
 */
const SIMPLE =
  ' -~\u00c0-\u024f\u0391-\u03ff\u0400-\u0482\u048a-\u052f\u05d0-\u05ea\u0621-\u064a\u3001-\u3029\u3041-\u3096' +
  '\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d';
/** Other characters with one neighbor on each side; runs that share a neighbor are one. */
const COMPLEX = new RegExp(`[${SIMPLE}]?[^${SIMPLE}]+(?:[${SIMPLE}][^${SIMPLE}]+)*[${SIMPLE}]?`, 'gu');
const SIMPLE_ONLY = new RegExp(`^[${SIMPLE}]*$`, 'u');

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Memory of replacements of single code points, so that the double array is read once for each. */
const MAX_REMEMBERED = 1 << 16;

/** A character map. */
export class Charsmap {
  readonly #units: Uint32Array;
  readonly #replacements: Buffer;
  readonly #codePoints = new Map<string, string>();

  /**
   * @param base64 `precompiled_charsmap` of tokenizer.json
   * @throws {RangeError} if the sizes in it do not match
   */
  constructor(base64: string) {
    const bytes = Buffer.from(base64, 'base64');
    const size = bytes.byteLength < 4 ? -1 : bytes.readUInt32LE(0);
    if (size < 0 || size % 4 !== 0 || 4 + size > bytes.byteLength) {
      throw new RangeError(`precompiled_charsmap claims ${size} bytes of ${bytes.byteLength}`);
    }
    this.#units = new Uint32Array(Uint8Array.from(bytes.subarray(4, 4 + size)).buffer);
    this.#replacements = bytes.subarray(4 + size);
  }

  /** Returns the normalized text. */
  apply(text: string): string {
    if (SIMPLE_ONLY.test(text)) return this.#eachCodePoint(text);
    let result = '';
    let done = 0;
    for (const match of text.matchAll(COMPLEX)) {
      result += this.#eachCodePoint(text.slice(done, match.index));
      for (const { segment } of GRAPHEMES.segment(match[0])) result += this.#grapheme(segment);
      done = match.index + match[0].length;
    }
    return result + this.#eachCodePoint(text.slice(done));
  }

  #grapheme(grapheme: string): string {
    const isOneCodePoint =
      grapheme.length === 1 || (grapheme.length === 2 && grapheme.codePointAt(0)! > 0xffff);
    if (!isOneCodePoint && Buffer.byteLength(grapheme) < WHOLE_GRAPHEME_BYTES) {
      const whole = this.#find(grapheme);
      if (whole !== undefined) return whole;
    }
    return this.#eachCodePoint(grapheme);
  }

  #eachCodePoint(text: string): string {
    let result = '';
    for (const character of text) {
      let replaced = this.#codePoints.get(character);
      if (replaced === undefined) {
        replaced = this.#find(character) ?? character;
        if (this.#codePoints.size < MAX_REMEMBERED) this.#codePoints.set(character, replaced);
      }
      result += replaced;
    }
    return result;
  }

  /** Returns the replacement of the shortest prefix that the map has; undefined if it has none. */
  #find(text: string): string | undefined {
    let node = offsetOf(this.#units[0] ?? 0);
    for (const byte of Buffer.from(text)) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = this.#units[node] ?? 0;
      // The label of the unit, with the bit that marks a leaf.
      if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
      node ^= offsetOf(unit);
      const hasLeaf = ((unit >>> 8) & 1) === 1;
      if (hasLeaf) {
        const start = (this.#units[node] ?? 0) & 0x7fffffff;
        const end = this.#replacements.indexOf(0, start);
        return this.#replacements.toString('utf8', start, end < 0 ? this.#replacements.length : end);
      }
    }
    return undefined;
  }
}

/** Distance from a unit to its children, as darts-clone stores it. */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}
