/** Uploads in progress, kept in local storage so that they can be resumed after the page was closed. */

import type { UploadFileType } from './file-type.ts';

/** Changes with the fields of an upload: those of older pages cannot be resumed. */
const STORAGE_KEY = 'embedmill.uploads.3';
const MAX_UPLOADS = 20;

/** An upload that this browser started and did not finish. */
export interface UnfinishedUpload {
  run: string;
  /** `fileSignature` of the file. */
  file: string;
  type: UploadFileType;
  textField: string;
  idField: string | null;
}

/** Identifies a file without reading it: name, size and modification time. */
export function fileSignature({ name, size, lastModified }: File): string {
  return `${name} ${size} ${lastModified}`;
}

/** Records an upload that begins; keeps the newest ones. */
export function rememberUpload(upload: UnfinishedUpload): void {
  write([upload, ...read().filter(({ run }) => run !== upload.run)].slice(0, MAX_UPLOADS));
}

/** Removes the upload to a run. */
export function forgetUpload(run: string): void {
  write(read().filter((upload) => upload.run !== run));
}

/** Returns the newest unfinished upload of this file, or `null`. */
export function findUnfinished(file: File): UnfinishedUpload | null {
  return read().find((upload) => upload.file === fileSignature(file)) ?? null;
}

function read(): UnfinishedUpload[] {
  return JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '[]') as UnfinishedUpload[];
}

function write(uploads: readonly UnfinishedUpload[]): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify(uploads));
}
