/** From a file to a run: choose it, say what is what, see what it will take, send it. */

import type { RunInfo } from '@embedmill/contract';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../../api/client.ts';
import { Page, Section } from '../../ui/page.tsx';
import { Failure } from '../../ui/states.tsx';
import { kindOf } from '../../upload/file-kind.ts';
import { FileUpload, type UploadState } from '../../upload/file-upload.ts';
import { likelyIdColumn, likelyTextColumn, type Preview, readPreview } from '../../upload/preview.ts';
import { findUnfinished, forget, markOf, remember, type Unfinished } from '../../upload/unfinished.ts';
import { Estimate } from './estimate.tsx';
import { FileDrop } from './file-drop.tsx';
import { type RunChoice, RunForm } from './run-form.tsx';
import { UploadProgress } from './upload-progress.tsx';

/** A file whose beginning was read. */
interface ChosenFile {
  file: File;
  preview: Preview;
  /** A run that was begun with the same file and still takes rows. */
  unfinished: Unfinished | null;
}

/** An upload on its way. */
interface Sending {
  run: string;
  file: File;
  upload: FileUpload;
}

export function NewRunPage() {
  const [chosen, setChosen] = useState<ChosenFile | null>(null);
  const [choice, setChoice] = useState<RunChoice | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [sending, setSending] = useState<Sending | null>(null);
  const [progress, setProgress] = useState<UploadState | null>(null);
  const running = useRef<FileUpload | null>(null);
  // The upload lives with the page; the same file goes on where it stopped.
  useEffect(() => () => running.current?.stop(), []);

  const choose = (file: File) => {
    setError(null);
    setChosen(null);
    open(file).then((opened) => {
      const { preview } = opened;
      setChosen(opened);
      setChoice({
        name: file.name.replace(/\.[a-z]+(\.gz)?$/i, ''),
        textField: likelyTextColumn(preview),
        idField: likelyIdColumn(preview),
        precision: 'int8',
        truncate: 'end',
        clean: [],
      });
    }, setError);
  };
  const send = (run: string, file: File, textField: string, idField: string | null) => {
    remember({ run, file: markOf(file), textField, idField });
    const upload = new FileUpload({ run, file, textField, idField }, (state) => {
      setProgress(state);
      if (state.state === 'sent') forget(run);
    });
    running.current = upload;
    setSending({ run, file, upload });
    setProgress(upload.state);
    void upload.start();
  };
  const begin = ({ file }: ChosenFile, { textField, idField, ...options }: RunChoice) => {
    setError(null);
    ask<RunInfo>('v1/runs', { method: 'POST', json: { ...options, name: options.name || null } }).then(
      ({ id }) => send(id, file, textField, idField),
      setError,
    );
  };

  return (
    <Page title="New run" lead="A file of texts becomes a file of vectors: one row each, in the same order.">
      {error !== null && <Failure error={error} />}
      {sending !== null ? (
        progress !== null && (
          <Section title={sending.file.name}>
            <UploadProgress run={sending.run} upload={sending.upload} progress={progress} />
          </Section>
        )
      ) : (
        <>
          <FileDrop file={chosen?.file ?? null} onFile={choose} />
          {chosen?.unfinished != null && (
            <div class="notice notice-warn">
              <p>The upload of this file was not finished.</p>
              <button
                type="button"
                class="button"
                onClick={() => {
                  const { run, textField, idField } = chosen.unfinished!;
                  send(run, chosen.file, textField, idField);
                }}
              >
                Resume the upload
              </button>
            </div>
          )}
          {chosen !== null && choice !== null && (
            <>
              <RunForm preview={chosen.preview} choice={choice} onChange={setChoice} />
              <Section title="Before you start">
                <Estimate preview={chosen.preview} choice={choice} />
                <div class="actions">
                  <button type="button" class="button button-main" onClick={() => begin(chosen, choice)}>
                    Start
                  </button>
                </div>
              </Section>
            </>
          )}
        </>
      )}
    </Page>
  );
}

async function open(file: File): Promise<ChosenFile> {
  const preview = await readPreview(file, kindOf(file.name));
  const unfinished = findUnfinished(file);
  if (unfinished === null) return { file, preview, unfinished };
  const run = await ask<RunInfo>(`v1/runs/${unfinished.run}`).catch(() => null);
  return { file, preview, unfinished: run?.state === 'open' ? unfinished : null };
}
