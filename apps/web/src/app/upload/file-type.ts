/** File types for uploads, recognized by file name. */

/** Format and compression of a file. */
export interface UploadFileType {
  format: 'jsonl' | 'csv' | 'tsv';
  contentType: string;
  isGzip: boolean;
}

const FILE_TYPES: Readonly<Record<string, Omit<UploadFileType, 'isGzip'>>> = {
  jsonl: { format: 'jsonl', contentType: 'application/x-ndjson' },
  ndjson: { format: 'jsonl', contentType: 'application/x-ndjson' },
  csv: { format: 'csv', contentType: 'text/csv' },
  tsv: { format: 'tsv', contentType: 'text/tab-separated-values' },
};

/** Value of the `accept` attribute of a file input. */
export const ACCEPTED_FILES: string = Object.keys(FILE_TYPES)
  .flatMap((extension) => [`.${extension}`, `.${extension}.gz`])
  .join(',');

/**
 * Returns the type of a file.
 * @param name file name with extension
 * @throws {Error} if the extension is not supported; the message is shown on the page
 */
export function fileTypeOf(name: string): UploadFileType {
  const [, extension = '', gz] = /\.([a-z]+)(\.gz)?$/i.exec(name) ?? [];
  const kind = FILE_TYPES[extension.toLowerCase()];
  if (kind === undefined)
    throw new Error(
      `“${name}” is not a supported file type: choose a .csv, .tsv or .jsonl file, optionally compressed as .gz.`,
    );
  return { ...kind, isGzip: gz !== undefined };
}

/**
 * Returns the decompressed bytes of a file.
 * @param onRead called with the number of bytes of each chunk read from the file itself
 */
export function openFile(
  file: File,
  { isGzip }: UploadFileType,
  onRead: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const counted = file.stream().pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (chunk, controller) => {
        onRead(chunk.byteLength);
        controller.enqueue(chunk);
      },
    }),
  );
  return isGzip ? counted.pipeThrough(new DecompressionStream('gzip')) : counted;
}
