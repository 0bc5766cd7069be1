/** The uploads of this tab, which continue while the user looks at other pages. */

import { useEffect, useState } from 'preact/hooks';
import { FileUpload, type UploadState, type UploadTask } from './file-upload.ts';
import { fileSignature, forgetUpload, rememberUpload } from './unfinished-uploads.ts';

/** An upload that is not complete, or that failed. */
export interface RunningUpload {
  run: string;
  fileName: string;
  upload: FileUpload;
  state: UploadState;
}

let uploads: readonly RunningUpload[] = [];
const listeners = new Set<() => void>();

function change(changed: readonly RunningUpload[]): void {
  uploads = changed;
  for (const listener of listeners) listener();
}

/** Starts the upload of a file; it is remembered until it is complete, so that it can be resumed in another tab. */
export function startUpload(task: UploadTask): void {
  const { run, file, type, textField, idField } = task;
  dismissUpload(run);
  rememberUpload({ run, file: fileSignature(file), type, textField, idField });
  const upload = new FileUpload(task, (state) => {
    if (state.state === 'sent') {
      forgetUpload(run);
      dismissUpload(run);
    } else change(uploads.map((each) => (each.run === run ? { ...each, state } : each)));
  });
  change([...uploads, { run, fileName: file.name, upload, state: upload.state }]);
  void upload.start();
}

/** Removes an upload from the list; one that is not complete stops. */
export function dismissUpload(run: string): void {
  uploads.find((each) => each.run === run)?.upload.stop();
  change(uploads.filter((each) => each.run !== run));
}

/** Returns the uploads of this tab; rerenders the component when one changes. */
export function useUploads(): readonly RunningUpload[] {
  const [current, setCurrent] = useState(uploads);
  useEffect(() => {
    const update = () => setCurrent(uploads);
    update();
    listeners.add(update);
    return () => void listeners.delete(update);
  }, []);
  return current;
}
