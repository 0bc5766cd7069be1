/** The New run page: choose a file, its columns and the options, see an estimate, upload the file. */

import type { RunInfo, RunModels } from '@embedmill/contract';
import { useRef, useState } from 'preact/hooks';
import { requestJson } from '../../api/client.ts';
import { go } from '../../router.ts';
import { bytes } from '../../ui/format.ts';
import { PageLayout, Section } from '../../ui/page.tsx';
import { Failure } from '../../ui/states.tsx';
import { useResource } from '../../ui/use-resource.ts';
import { type UploadFileType, uploadTypeOf } from '../../upload/file-type.ts';
import { inspectFile, type PlanChoices, type ReadingPlan } from '../../upload/inspect.ts';
import { type Preview, readPreview } from '../../upload/preview.ts';
import { findUnfinished, type UnfinishedUpload } from '../../upload/unfinished-uploads.ts';
import { startUpload } from '../../upload/uploads.ts';
import { Estimate } from './estimate.tsx';
import { ReadingForm } from './reading-form.tsx';
import { type RunChoice, RunForm } from './run-form.tsx';

/** A file, how it is read, and its first rows. */
interface ChosenFile {
  file: File;
  /** What the user decided about the plan. */
  choices: PlanChoices;
  plan: ReadingPlan;
  /** `null` while the plan has a problem, or if this page cannot read the file. */
  preview: Preview | null;
  /** Why the page cannot read the file; `null` if it can. */
  unreadable: unknown;
  /** An unfinished upload of this file whose run still accepts rows. */
  unfinished: UnfinishedUpload | null;
}

/** Renders the page; after the start it goes to the run. */
export function NewRunPage() {
  const [chosen, setChosen] = useState<ChosenFile | null>(null);
  const [choice, setChoice] = useState<RunChoice | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { value: models } = useResource<RunModels>('v1/run-models');

  /** Reads the file by a new plan; the answer to an older one is dropped. */
  const latest = useRef(0);
  const inspect = (file: File, choices: PlanChoices, isNew: boolean, model = choice?.model) => {
    setError(null);
    latest.current += 1;
    const attempt = latest.current;
    open(file, choices, model).then(
      (opened) => {
        if (attempt !== latest.current) return;
        const { plan } = opened;
        const columns = { textField: plan.textField ?? 'text', idField: plan.idField };
        setChosen(opened);
        setChoice((current) =>
          current === null || isNew
            ? { name: nameOf(file), precision: 'int8', truncate: 'end', clean: [], ...columns }
            : { ...current, ...columns },
        );
      },
      (reason) => {
        if (attempt === latest.current) setError(reason);
      },
    );
  };
  const choose = (file: File) => {
    setChosen(null);
    inspect(file, {}, true);
  };
  const reread = (part: PlanChoices) => {
    if (chosen !== null) inspect(chosen.file, { ...chosen.choices, ...part }, false);
  };
  const send = (
    run: string,
    file: File,
    { type, textField, idField }: Pick<UnfinishedUpload, 'type' | 'textField' | 'idField'>,
  ) => {
    startUpload({ run, file, type, textField, idField });
    go('runs', run);
  };
  const begin = ({ file, plan }: ChosenFile, { textField, idField, ...options }: RunChoice) => {
    setError(null);
    const type: UploadFileType = uploadTypeOf(plan);
    requestJson<RunInfo>('v1/runs', {
      method: 'POST',
      json: { ...options, name: options.name || null },
    }).then(({ id }) => send(id, file, { type, textField, idField }), setError);
  };

  return (
    <PageLayout
      title="New run"
      lead="A file of texts becomes a file of vectors: one row each, in the same order."
    >
      {error !== null && <Failure error={error} />}
      <FileDrop file={chosen?.file ?? null} onFile={choose} />
      {chosen?.unfinished != null && (
        <div class="notice notice-warn">
          <p>The upload of this file was not finished.</p>
          <button
            type="button"
            class="button"
            onClick={() => {
              const unfinished = chosen.unfinished!;
              send(unfinished.run, chosen.file, unfinished);
            }}
          >
            Resume the upload
          </button>
        </div>
      )}
      {chosen !== null && <ReadingForm plan={chosen.plan} onChange={reread} />}
      {chosen?.unreadable != null && <Failure error={chosen.unreadable} />}
      {chosen?.preview != null && choice !== null && (
        <>
          <RunForm
            preview={chosen.preview}
            choice={choice}
            models={models}
            onChange={(changed) => {
              setChoice(changed);
              // Whether the model knows the texts depends on the model.
              if (changed.model !== choice.model) inspect(chosen.file, chosen.choices, false, changed.model);
            }}
            onColumns={({ textField, idField }) =>
              reread({ ...(textField && { textField }), ...(idField && { idField }) })
            }
          />
          {chosen.plan.problem === null && (
            <Section title="Before you start">
              <Estimate preview={chosen.preview} choice={choice} />
              <div class="actions">
                <button type="button" class="button button-main" onClick={() => begin(chosen, choice)}>
                  Start
                </button>
              </div>
            </Section>
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
      <input type="file" class="unseen" onChange={(event) => takeFirst(event.currentTarget.files)} />
      <span class="drop-title">
        {file === null ? 'Drop a file here, or click to choose one' : `${file.name}, ${bytes(file.size)}`}
      </span>
      <span class="soft small">
        {file === null
          ? 'CSV, TSV, JSON or text in any charset, optionally compressed as .gz; Parquet or Arrow; of any size'
          : 'Choose another file'}
      </span>
    </label>
  );
}

/** The name of a run: the file without its extensions. */
function nameOf({ name }: File): string {
  return name.replace(/\.[a-z]+(\.gz)?$/i, '');
}

/** Asks for the plan of a file, reads its first rows and looks up its unfinished upload. */
async function open(file: File, choices: PlanChoices, model: string | undefined): Promise<ChosenFile> {
  const plan = await inspectFile(file, choices, model);
  let preview: Preview | null = null;
  let unreadable: unknown = null;
  try {
    preview = plan.columns.length === 0 && plan.problem !== null ? null : await readPreview(file, plan);
  } catch (error) {
    unreadable = error;
  }
  const chosen = { file, choices, plan, preview, unreadable };
  const unfinished = findUnfinished(file);
  if (unfinished === null) return { ...chosen, unfinished };
  const run = await requestJson<RunInfo>(`v1/runs/${unfinished.run}`).catch(() => null);
  return { ...chosen, unfinished: run?.state === 'open' ? unfinished : null };
}
