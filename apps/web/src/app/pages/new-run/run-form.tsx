/** Form for the columns of a file, with a preview of its rows, and for the options of the run. */

import {
  CLEAN_STEPS,
  type CleanStep,
  type InputType,
  type Precision,
  type RunModels,
  type Truncate,
} from '@embedmill/contract';
import { useId } from 'preact/hooks';
import { useOverview } from '../../overview.tsx';
import { CLEAN_STEP_LABELS } from '../../ui/clean-steps.ts';
import { Section } from '../../ui/page.tsx';
import type { Preview } from '../../upload/preview.ts';

/** The values of the form. */
export interface RunChoice {
  name: string;
  textField: string;
  /** `null`: rows are identified by number. */
  idField: string | null;
  precision: Precision;
  truncate: Truncate;
  clean: readonly CleanStep[];
  /** Name of the model; undefined for that of the producer. */
  model?: string | undefined;
  /** Which prompt of the model the texts get. */
  inputType?: InputType | undefined;
  /** Days after its end until the server deletes the run; undefined for the setting of the server. */
  keepDays?: number | undefined;
}

/** Choices of the time for which a run is kept. */
const KEEP_DAYS = [1, 7, 30, 90, 365];

function daysText(days: number): string {
  return days === 1 ? '1 day after its end' : `${days} days after its end`;
}

/** The setting of the server in words. */
function keepText(days: number | null | undefined): string {
  if (days === undefined) return 'as the server is set';
  return days === null ? 'until it is deleted' : `${daysText(days)}, as the server is set`;
}

/** Rows in the preview table. */
const PREVIEW_ROWS = 5;

/** Renders the form; `onChange` receives the whole choice after every change. */
export function RunForm({
  preview,
  choice,
  models,
  onChange,
  onColumns,
}: {
  preview: Preview;
  /** The models that the run may use; `null` while they are unknown. */
  models: RunModels | null;
  choice: RunChoice;
  onChange: (choice: RunChoice) => void;
  /** Receives a changed column, which changes how the file is read. */
  onColumns: (part: Partial<Pick<RunChoice, 'textField' | 'idField'>>) => void;
}) {
  const id = useId();
  const { overview } = useOverview();
  const change = (part: Partial<RunChoice>) => onChange({ ...choice, ...part });
  return (
    <>
      <Section title="Columns">
        <div class="fields">
          <div>
            <label for={`${id}text`}>Text</label>
            <select
              id={`${id}text`}
              value={choice.textField}
              onChange={(event) => onColumns({ textField: event.currentTarget.value })}
            >
              {!preview.columns.includes(choice.textField) && (
                <option value={choice.textField}>choose a column</option>
              )}
              {preview.columns.map((column) => (
                <option key={column}>{column}</option>
              ))}
            </select>
          </div>
          <div>
            <label for={`${id}id`}>Id</label>
            <select
              id={`${id}id`}
              value={choice.idField ?? ''}
              onChange={({ currentTarget: { value } }) =>
                value === '' ? change({ idField: null }) : onColumns({ idField: value })
              }
            >
              {/* Without an id field, the producer uses a column named "id" if there is one. */}
              {!preview.columns.includes('id') && <option value="">none, use row numbers</option>}
              {preview.columns.map((column) => (
                <option key={column}>{column}</option>
              ))}
            </select>
          </div>
        </div>
        {preview.columns.length > fieldsOf(choice).length && (
          <p class="soft small">The other columns are kept with the run, to filter and compare by.</p>
        )}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable with the keyboard */}
        <section class="scroll" tabIndex={0} aria-label="First rows of the file">
          <table class="preview">
            <thead>
              <tr>
                {preview.columns.map((column) => (
                  <th key={column} scope="col" class={columnClass(column, choice)}>
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {preview.rows.slice(0, PREVIEW_ROWS).map((row, i) => (
                <tr key={i}>
                  {preview.columns.map((column) => (
                    <td key={column} class={columnClass(column, choice)}>
                      <span class="clip">{row[column]}</span>
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </Section>
      <Section title="Options">
        <div class="fields">
          <div>
            <label for={`${id}name`}>Name</label>
            <input
              id={`${id}name`}
              value={choice.name}
              maxLength={200}
              onInput={(event) => change({ name: event.currentTarget.value })}
            />
          </div>
          <div>
            <label for={`${id}truncate`}>Texts over the token limit</label>
            <select
              id={`${id}truncate`}
              value={choice.truncate}
              onChange={(event) => change({ truncate: event.currentTarget.value as RunChoice['truncate'] })}
            >
              <option value="end">cut the end</option>
              <option value="start">cut the start</option>
              <option value="error">fail the row</option>
            </select>
          </div>
          <div>
            <label for={`${id}precision`}>Precision</label>
            <select
              id={`${id}precision`}
              value={choice.precision}
              onChange={(event) => change({ precision: event.currentTarget.value as RunChoice['precision'] })}
            >
              <option value="int8">int8: fast</option>
              <option value="fp32">fp32: exact</option>
            </select>
          </div>
          <div>
            <label for={`${id}keep`}>Keep the run</label>
            <select
              id={`${id}keep`}
              value={choice.keepDays ?? ''}
              onChange={({ currentTarget: { value } }) =>
                change({ keepDays: value === '' ? undefined : Number(value) })
              }
            >
              <option value="">{keepText(overview?.storage?.keepRunsDays)}</option>
              {KEEP_DAYS.map((days) => (
                <option key={days} value={days}>
                  {daysText(days)}
                </option>
              ))}
            </select>
          </div>
          {models !== null && <ModelFields models={models} choice={choice} onChange={change} />}
        </div>
        <fieldset class="checks">
          <legend>Remove before embedding</legend>
          {CLEAN_STEPS.map((step) => (
            <label key={step}>
              <input
                type="checkbox"
                checked={choice.clean.includes(step)}
                onChange={(event) =>
                  change({
                    clean: event.currentTarget.checked
                      ? [...choice.clean, step]
                      : choice.clean.filter((each) => each !== step),
                  })
                }
              />
              {CLEAN_STEP_LABELS[step]}
            </label>
          ))}
        </fieldset>
      </Section>
    </>
  );
}

/** The columns that are text or id. */
function fieldsOf({ textField, idField }: RunChoice): string[] {
  return [textField, ...(idField === null || idField === textField ? [] : [idField])];
}

function columnClass(column: string, { textField, idField }: RunChoice): string {
  return column === textField || column === idField ? 'chosen' : 'soft';
}

/** What texts are used for, in words. */
const INPUT_TYPE_LABELS: Readonly<Record<InputType, string>> = {
  document: 'documents',
  query: 'queries to search with',
  none: 'neither (no prompt)',
};

/** The model, if there is a choice, and what the texts are used for, if the model has prompts. */
function ModelFields({
  models: { default: own, models },
  choice: { model = own, inputType = 'document' },
  onChange,
}: {
  models: RunModels;
  choice: RunChoice;
  onChange: (part: Partial<RunChoice>) => void;
}) {
  const id = useId();
  const prompts = models.find(({ name }) => name === model)?.prompts ?? { query: '', document: '' };
  const hasPrompts = prompts.query !== '' || prompts.document !== '';
  return (
    <>
      {models.length > 1 && (
        <div>
          <label for={`${id}model`}>Model</label>
          <select
            id={`${id}model`}
            value={model}
            onChange={({ currentTarget }) => onChange({ model: currentTarget.value, inputType: undefined })}
          >
            {!models.some(({ name }) => name === model) && <option>{model}</option>}
            {models.map(({ name, isLoaded }) => (
              <option key={name} value={name}>
                {isLoaded ? name : `${name} (workers load it first)`}
              </option>
            ))}
          </select>
        </div>
      )}
      {hasPrompts && (
        <div>
          <label for={`${id}input`}>The texts are</label>
          <select
            id={`${id}input`}
            value={inputType}
            onChange={({ currentTarget }) => onChange({ inputType: currentTarget.value as InputType })}
          >
            {Object.entries(INPUT_TYPE_LABELS).map(([type, label]) => (
              <option key={type} value={type}>
                {label}
              </option>
            ))}
          </select>
        </div>
      )}
    </>
  );
}
