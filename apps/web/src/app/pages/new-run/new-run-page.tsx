/** The New run page: choose a file, its columns and the options, see an estimate, upload the file. */

import type { RunInfo } from '@embedmill/contract';
import { useEffect, useRef, useState } from 'preact/hooks';
import { requestJson } from '../../api/client.ts';
import { bytes } from '../../ui/format.ts';
import { PageLayout, Section } from '../../ui/page.tsx';
import { Failure } from '../../ui/states.tsx';
import { ACCEPTED_FILES, fileTypeOf } from '../../upload/file-type.ts';
import { FileUpload, type UploadState } from '../../upload/file-upload.ts';
import { likelyIdColumn, likelyTextColumn, type Preview, readPreview } from '../../upload/preview.ts';
import {
  fileSignature,
  findUnfinished,
  forgetUpload,
  rememberUpload,
  type UnfinishedUpload,
} from '../../upload/unfinished-uploads.ts';
import { Estimate } from './estimate.tsx';
import { type RunChoice, RunForm } from './run-form.tsx';
import { UploadProgress } from './upload-progress.tsx';

/** A file with its preview. */
interface ChosenFile {
  file: File;
  preview: Preview;
  /** An unfinished upload of this file whose run still accepts rows. */
  unfinished: UnfinishedUpload | null;
}

/** The upload in progress. */
interface Sending {
  run: string;
  file: File;
  upload: FileUpload;
}

/** Renders the page; an upload in progress stops when the page is left. */
export function NewRunPage() {
  const [chosen, setChosen] = useState<ChosenFile | null>(null);
  const [choice, setChoice] = useState<RunChoice | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [sending, setSending] = useState<Sending | null>(null);
  const [progress, setProgress] = useState<UploadState | null>(null);
  const running = useRef<FileUpload | null>(null);
  // An upload ends with its page; choosing the same file resumes it.
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
    rememberUpload({ run, file: fileSignature(file), textField, idField });
    const upload = new FileUpload({ run, file, textField, idField }, (state) => {
      setProgress(state);
      if (state.state === 'sent') forgetUpload(run);
    });
    running.current = upload;
    setSending({ run, file, upload });
    setProgress(upload.state);
    void upload.start();
  };
  const begin = ({ file }: ChosenFile, { textField, idField, ...options }: RunChoice) => {
    setError(null);
    requestJson<RunInfo>('v1/runs', {
      method: 'POST',
      json: { ...options, name: options.name || null },
    }).then(({ id }) => send(id, file, textField, idField), setError);
  };

  return (
    <PageLayout
      title="New run"
      lead="A file of texts becomes a file of vectors: one row each, in the same order."
    >
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
    </PageLayout>
  );
}

/** A drop target for a file; as a file input it also works with the keyboard. */
function FileDrop({ file, onFile }: { file: File | null; onFile: (file: File) => void }) {
  const [isOver, setIsOver] = useState(false);
  const takeFirst = (files: FileList | null | undefined) => {
    const first = files?.[0];
    if (first !== undefined) onFile(first);
  };
  return (
    <label
      class={`drop${isOver ? ' drop-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        takeFirst(event.dataTransfer?.files);
      }}
    >
      <input
        type="file"
        class="unseen"
        accept={ACCEPTED_FILES}
        onChange={(event) => takeFirst(event.currentTarget.files)}
      />
      <span class="drop-title">
        {file === null ? 'Drop a file here, or click to choose one' : `${file.name}, ${bytes(file.size)}`}
      </span>
      <span class="soft small">
        {file === null
          ? 'CSV, TSV or JSON Lines in UTF-8, of any size, optionally compressed as .gz'
          : 'Choose another file'}
      </span>
    </label>
  );
}

/** Reads the preview of a file and looks up its unfinished upload. */
async function open(file: File): Promise<ChosenFile> {
  const preview = await readPreview(file, fileTypeOf(file.name));
  const unfinished = findUnfinished(file);
  if (unfinished === null) return { file, preview, unfinished };
  const run = await requestJson<RunInfo>(`v1/runs/${unfinished.run}`).catch(() => null);
  return { file, preview, unfinished: run?.state === 'open' ? unfinished : null };
}
