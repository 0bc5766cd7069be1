/** Finds out the charset of a sample: by its byte order mark, its zero bytes, or a guess that is never certain. */

import { isUtf8 } from 'node:buffer';
import { analyse } from 'chardet';
import { charsetNamed, transcodeSample } from '../rows/transcode.ts';

/** The charset of a sample. */
export interface CharsetFound {
  /** As `charsetNamed` returns it. */
  charset: string;
  /**
   * `mark`, `zeros` and `utf-8` are certain; `mixed` is UTF-8 with a few records that are not; `guess` needs the
   * consent of the user.
   */
  by: 'mark' | 'zeros' | 'utf-8' | 'mixed' | 'guess';
}

const MARKS: readonly (readonly [string, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  // UTF-32 before UTF-16, whose mark it starts with.
  ['utf-32le', [0xff, 0xfe, 0x00, 0x00]],
  ['utf-32be', [0x00, 0x00, 0xfe, 0xff]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/** Share of zero bytes above which a text is UTF-16: its delimiters and line ends have one each. */
const MIN_ZERO_SHARE = 0.02;

/** Share of lines that may be invalid in a text that is UTF-8 nevertheless. */
const MAX_INVALID_SHARE = 0.01;

/** Charsets that are proposed; others are too rare, or cannot be told from these. */
const PROPOSED = /^(windows-125\d|iso-8859-\d+|gb18030|big5|shift_jis|euc-jp|euc-kr|koi8-r)$/;

/** The charset of the first bytes of an input. */
export function charsetOf(bytes: Uint8Array): CharsetFound {
  const marked = MARKS.find(([, mark]) => mark.every((byte, n) => bytes[n] === byte));
  if (marked !== undefined) return { charset: marked[0], by: 'mark' };
  const wide = wideCharset(bytes);
  if (wide !== null) return { charset: wide, by: 'zeros' };
  // The end of the sample may cut a character of up to four bytes.
  for (let cut = 0; cut < 4; cut++) {
    if (isUtf8(bytes.subarray(0, bytes.length - cut))) return { charset: 'utf-8', by: 'utf-8' };
  }
  return isMostlyUtf8(bytes) ? { charset: 'utf-8', by: 'mixed' } : { charset: guess(bytes), by: 'guess' };
}

/** UTF-16 without a mark: zero bytes, but only at even or only at odd positions. */
function wideCharset(bytes: Uint8Array): string | null {
  const zeros = [0, 0];
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at + 1)) zeros[at % 2]! += 1;
  const [even = 0, odd = 0] = zeros;
  if (even + odd < Math.max(1, bytes.length * MIN_ZERO_SHARE)) return null;
  if (even <= odd / 20) return 'utf-16le';
  return odd <= even / 20 ? 'utf-16be' : null;
}

/** Whether only a few lines are invalid, or the valid ones contain more characters beyond ASCII. */
function isMostlyUtf8(bytes: Uint8Array): boolean {
  const lines = linesOf(bytes).slice(0, -1);
  const invalid = lines.filter((line) => !isUtf8(line)).length;
  if (invalid <= lines.length * MAX_INVALID_SHARE) return true;
  const beyondAscii = lines.filter((line) => isUtf8(line) && line.some((byte) => byte > 0x7f)).length;
  return beyondAscii > invalid;
}

/** The most likely charset of bytes that are not UTF-8. */
function guess(bytes: Uint8Array): string {
  // ASCII says nothing about the charset, but lets chardet lose confidence.
  const telling = Buffer.concat(
    linesOf(bytes)
      .filter((line) => line.some((byte) => byte > 0x7f))
      .slice(0, 2000),
  );
  for (const { name } of analyse(telling)) {
    const charset = name.toLowerCase();
    if (!PROPOSED.test(charset)) continue;
    const named = charsetNamed(charset);
    // 0xFF stands for bytes that the charset does not define.
    if (!transcodeSample(telling, named).includes(0xff)) return named;
  }
  return 'windows-1252';
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  const mark = bytes.includes(0x0a) ? 0x0a : 0x0d;
  let start = 0;
  for (let end = bytes.indexOf(mark); end !== -1; end = bytes.indexOf(mark, start)) {
    lines.push(bytes.subarray(start, end + 1));
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
}
