/**
 * Payload format: the texts of one batch; written by the producer, decoded by an inference thread.
 *
 * Little-endian: magic `EMI2`, u32 rows, u32 CRC-32 of all that follows, u32 end offset of each text in the
 * text area, then the texts in UTF-8. Unpaired surrogates become U+FFFD, which BERT's normalizer drops, as in
 * every UTF-8 based tokenizer. For a row of token ids, the highest bit of the end offset is set and the text
 * area holds u32 ids.
 */

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { CorruptError, type TextInput } from '@embedmill/contract';

const MAGIC = 0x32494d45; // 'EMI2'
const HEADER_BYTES = 12;
const ID_BYTES = 4;

/** Set in the end offset of a row of token ids; no payload is that long. */
const IDS_FLAG = 0x8000_0000;

/** The rows of a batch, decoded one by one on demand. */
export interface BatchPayload {
  readonly rows: number;
  /** The text of row `row` (0-based). */
  text(row: number): string;
  /** Content of row `row` (0-based): its text, or its token ids. */
  input(row: number): TextInput;
}

/** Texts → payload bytes, in their own `ArrayBuffer`, so that they can be transferred to a thread. */
export function encodeBatchPayload(texts: readonly TextInput[]): Uint8Array<ArrayBuffer> {
  const textStart = HEADER_BYTES + 4 * texts.length;
  let textBytes = 0;
  for (const text of texts) {
    textBytes += typeof text === 'string' ? Buffer.byteLength(text) : ID_BYTES * text.length;
  }
  const bytes = new Uint8Array(new ArrayBuffer(textStart + textBytes));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, texts.length, true);
  const target = Buffer.from(bytes.buffer);
  let end = 0;
  for (const [row, text] of texts.entries()) {
    if (typeof text === 'string') end += target.write(text, textStart + end);
    else for (const id of text) end = target.writeUInt32LE(id, textStart + end) - textStart;
    view.setUint32(HEADER_BYTES + 4 * row, typeof text === 'string' ? end : end + IDS_FLAG, true);
  }
  view.setUint32(8, crc32(bytes.subarray(HEADER_BYTES)), true);
  return bytes;
}

/** SHA-256 of a payload in base64url: identifies its texts. */
export function digestPayload(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('base64url');
}

/**
 * Payload bytes → texts.
 * @throws {CorruptError} `corrupt-payload` when the format or the checksum is wrong
 */
export function readBatchPayload(bytes: Uint8Array): BatchPayload {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new CorruptError(
      'corrupt-payload',
      `a batch payload must start with "EMI2", got ${bytes.byteLength} bytes without it`,
    );
  }
  const rows = view.getUint32(4, true);
  const textStart = HEADER_BYTES + 4 * rows;
  const markOf = (row: number) => (row < 0 ? 0 : view.getUint32(HEADER_BYTES + 4 * row, true));
  const endOf = (row: number) => markOf(row) % IDS_FLAG;
  if (bytes.byteLength < textStart || textStart + endOf(rows - 1) !== bytes.byteLength) {
    throw new CorruptError(
      'corrupt-payload',
      `a batch payload of ${rows} rows has the wrong length: ${bytes.byteLength} bytes`,
    );
  }
  if (crc32(bytes.subarray(HEADER_BYTES)) !== view.getUint32(8, true)) {
    throw new CorruptError(
      'corrupt-payload',
      `the checksum of a batch payload of ${rows} rows does not match its bytes`,
    );
  }
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (row: number) => source.toString('utf8', textStart + endOf(row - 1), textStart + endOf(row));
  const ids = (row: number) => {
    const start = textStart + endOf(row - 1);
    const count = (endOf(row) - endOf(row - 1)) / ID_BYTES;
    return Array.from({ length: count }, (_, i) => source.readUInt32LE(start + ID_BYTES * i));
  };
  return { rows, text, input: (row) => (markOf(row) >= IDS_FLAG ? ids(row) : text(row)) };
}
