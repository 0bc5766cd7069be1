/** Converts inputs in other charsets to UTF-8, as streams. */

import { quote, RequestError } from '@embedmill/contract';
import iconv from 'iconv-lite';

/** Stands for bytes that the charset does not define. It is never valid in UTF-8, so the row is reported. */
const UNDEFINED_BYTE = Buffer.from([0xff]);
const REPLACEMENT = '\ufffd';

/** Names that mean the same as another one here, where a file rather than a web page is meant. */
const SAME: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  'utf-16': 'utf-16le',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  ascii: 'utf-8',
  'us-ascii': 'utf-8',
  latin1: 'windows-1252',
  'latin-1': 'windows-1252',
  'iso-8859-1': 'windows-1252',
  cp1252: 'windows-1252',
  gbk: 'gb18030',
  gb2312: 'gb18030',
  'shift-jis': 'shift_jis',
  sjis: 'shift_jis',
  cp932: 'shift_jis',
};

/**
 * The name of a charset as plans and options use it (`latin1` → `windows-1252`).
 * @throws {RequestError} `unknown-charset`
 */
export function charsetNamed(given: string): string {
  const name = given.trim().toLowerCase();
  const charset = SAME[name] ?? name;
  // The library would load its tables of all charsets.
  if (charset === 'utf-8') return charset;
  if (iconv.encodingExists(charset) && !/^(base64|hex|binary|utf-?7|cesu)/.test(charset)) return charset;
  throw new RequestError(
    'unknown-charset',
    `the charset ${quote(given)} is unknown; expected a name such as utf-8, utf-16le, windows-1252, gb18030 or shift_jis`,
  );
}

/**
 * The bytes in UTF-8, without a byte order mark of UTF-16. UTF-8 passes through unchecked. Bytes that the
 * charset does not define become 0xFF, so that their rows are reported as invalid.
 * @param charset as `charsetNamed` returns it
 */
export function transcode(bytes: AsyncIterable<Uint8Array>, charset: string): AsyncIterable<Uint8Array> {
  return charset === 'utf-8' ? bytes : transcodeBlocks(bytes, charset);
}

async function* transcodeBlocks(
  bytes: AsyncIterable<Uint8Array>,
  charset: string,
): AsyncGenerator<Uint8Array> {
  // A Unicode charset can contain U+FFFD; in any other it only stands for undefined bytes.
  const isUnicode = /^utf/.test(charset);
  const decoder = iconv.getDecoder(charset);
  let isStart = true;
  let total = 0;
  for await (const block of bytes) {
    total += block.length;
    const text = decoder.write(Buffer.from(block.buffer, block.byteOffset, block.length));
    if (text === '') continue;
    yield encode(isStart ? text.replace(/^\ufeff/, '') : text, isUnicode);
    isStart = false;
  }
  const rest = decoder.end() ?? '';
  if (rest !== '') yield encode(rest, isUnicode);
  if (/^utf-16/.test(charset) && total % 2 === 1) yield UNDEFINED_BYTE;
}

function encode(text: string, isUnicode: boolean): Buffer {
  if (isUnicode || !text.includes(REPLACEMENT)) return Buffer.from(text);
  const parts = text.split(REPLACEMENT).flatMap((part) => [UNDEFINED_BYTE, Buffer.from(part)]);
  return Buffer.concat(parts.slice(1));
}

/** Converts a whole sample; see `transcode`. A character that its end cuts is left out. */
export function transcodeSample(bytes: Uint8Array, charset: string): Buffer {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (charset === 'utf-8') return whole;
  const text = iconv
    .getDecoder(charset)
    .write(whole)
    .replace(/^\ufeff/, '');
  return encode(text, /^utf/.test(charset));
}
