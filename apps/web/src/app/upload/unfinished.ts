/**
 * Remembers uploads that were begun, so that the same file goes on where it stopped, also after the page was
 * closed.
 */

const SLOT = 'embedmill.uploads';
const MAX_KEPT = 20;

/** An upload that was not finished, as far as this browser knows. */
export interface Unfinished {
  run: string;
  /** What tells files apart without reading them. */
  file: string;
  textField: string;
  idField: string | null;
}

/** Name, size and time of the file's last change. */
export function markOf({ name, size, lastModified }: File): string {
  return `${name} ${size} ${lastModified}`;
}

export function remember(upload: Unfinished): void {
  write([upload, ...read().filter(({ run }) => run !== upload.run)].slice(0, MAX_KEPT));
}

export function forget(run: string): void {
  write(read().filter((upload) => upload.run !== run));
}

/** What was begun with this file last, if it was not finished. */
export function findUnfinished(file: File): Unfinished | null {
  return read().find((upload) => upload.file === markOf(file)) ?? null;
}

function read(): Unfinished[] {
  return JSON.parse(localStorage.getItem(SLOT) ?? '[]') as Unfinished[];
}

function write(uploads: readonly Unfinished[]): void {
  localStorage.setItem(SLOT, JSON.stringify(uploads));
}
