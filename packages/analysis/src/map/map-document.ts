/**
 * The data inside a map page: an object in JSON, then the places and the topics of the rows as numbers.
 *
 * Bytes: uint32 length of the JSON, the JSON in UTF-8, padding to 4 bytes, float32 x and y of each row, int32 topic of
 * each row; little-endian.
 */

/** A topic or a group of topics. */
export interface MapTopic {
  readonly name: string;
  readonly rows: number;
}

/** What a map page shows. */
export interface MapDocument {
  readonly title: string;
  /** Rows of the vector file with a vector; more than are in the page, if it was cut. */
  readonly totalRows: number;
  /** Number of characters to which longer texts were cut; `null` if none was longer. */
  readonly maxTextChars: number | null;
  /** By number. `group` is the number of its group, or `null`. */
  readonly topics: readonly (MapTopic & { readonly group: number | null })[];
  readonly groups: readonly MapTopic[];
  readonly ids: readonly string[];
  /** Of each row; `null` without texts. */
  readonly texts: readonly string[] | null;
  /** x and y of each row, interleaved. */
  readonly places: Float32Array;
  /** Topic of each row. */
  readonly topicOf: Int32Array;
}

declare class TextEncoder {
  encode(text: string): Uint8Array;
}

declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}

/** Writes a document as bytes. */
export function encodeMapDocument({ places, topicOf, ...head }: MapDocument): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(head));
  const start = placesStart(json.length);
  const bytes = new Uint8Array(start + places.byteLength + topicOf.byteLength);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  bytes.set(new Uint8Array(places.buffer, places.byteOffset, places.byteLength), start);
  bytes.set(
    new Uint8Array(topicOf.buffer, topicOf.byteOffset, topicOf.byteLength),
    start + places.byteLength,
  );
  return bytes;
}

/** Reads the bytes of {@link encodeMapDocument}. */
export function decodeMapDocument(bytes: Uint8Array): MapDocument {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as Omit<
    MapDocument,
    'places' | 'topicOf'
  >;
  const rows = head.ids.length;
  const start = placesStart(length);
  // Copies, because views need an offset that is a multiple of 4 in the buffer.
  const places = new Float32Array(bytes.slice(start, start + 8 * rows).buffer);
  const topicOf = new Int32Array(bytes.slice(start + 8 * rows, start + 12 * rows).buffer);
  return { ...head, places, topicOf };
}

function placesStart(jsonBytes: number): number {
  return Math.ceil((4 + jsonBytes) / 4) * 4;
}
