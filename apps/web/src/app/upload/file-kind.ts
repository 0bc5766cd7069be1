/** Which files can be uploaded, told by their names. */

/** How the rows of a file are written, and whether it is packed. */
export interface FileKind {
  format: 'jsonl' | 'csv' | 'tsv';
  contentType: string;
  isGzip: boolean;
}

const KINDS: Readonly<Record<string, Omit<FileKind, 'isGzip'>>> = {
  jsonl: { format: 'jsonl', contentType: 'application/x-ndjson' },
  ndjson: { format: 'jsonl', contentType: 'application/x-ndjson' },
  csv: { format: 'csv', contentType: 'text/csv' },
  tsv: { format: 'tsv', contentType: 'text/tab-separated-values' },
};

/** For the file dialog. */
export const ACCEPTED_FILES: string = Object.keys(KINDS)
  .flatMap((ending) => [`.${ending}`, `.${ending}.gz`])
  .join(',');

/** @throws {Error} for a name with another ending, in words for the page */
export function kindOf(name: string): FileKind {
  const [, ending = '', packed] = /\.([a-z]+)(\.gz)?$/i.exec(name) ?? [];
  const kind = KINDS[ending.toLowerCase()];
  if (kind === undefined)
    throw new Error(
      `“${name}” is not a supported file type: choose a .csv, .tsv or .jsonl file, optionally compressed as .gz.`,
    );
  return { ...kind, isGzip: packed !== undefined };
}

/**
 * The bytes of a file, unpacked if need be. @param onRead told how many bytes of the file itself were read
 */
export function openFile(
  file: File,
  { isGzip }: FileKind,
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
