/** How a file is read: the plan of the producer, each point of which can be changed. */

import { useId } from 'preact/hooks';
import { Section } from '../../ui/page.tsx';
import type { PlanChoices, ReadingPlan } from '../../upload/inspect.ts';

const FORMAT_LABELS: Readonly<Record<ReadingPlan['format'], string>> = {
  jsonl: 'JSON Lines',
  json: 'JSON array',
  csv: 'CSV',
  tsv: 'TSV',
  txt: 'plain text, one per line',
  parquet: 'Parquet',
  arrow: 'Arrow',
};

/** Formats that may be chosen; the others are known by their first bytes. */
const CHOSEN_FORMATS = ['csv', 'tsv', 'jsonl', 'json', 'txt'] as const;

const DELIMITERS: readonly (readonly [character: string, label: string])[] = [
  [',', 'comma'],
  [';', 'semicolon'],
  ['\t', 'tab'],
  ['|', 'vertical bar'],
];

/** Charsets of the Encoding Standard that exports are written in. */
const CHARSETS = [
  'utf-8',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'gb18030',
  'shift_jis',
  'windows-1251',
  'euc-kr',
] as const;

/** The options of a select, with the current one if it is none of them. */
const withCurrent = (known: readonly string[], current: string): readonly string[] =>
  known.includes(current) ? known : [current, ...known];

/** Renders the plan; `onChange` receives the changed points. */
export function ReadingForm({
  plan,
  onChange,
}: {
  plan: ReadingPlan;
  onChange: (part: PlanChoices) => void;
}) {
  const id = useId();
  const { format, charset, dialect, packing, warnings, problem } = plan;
  const isTable = format === 'parquet' || format === 'arrow';
  return (
    <Section title="Reading">
      <div class="fields">
        <div>
          <label for={`${id}format`}>Format</label>
          <select
            id={`${id}format`}
            value={format}
            disabled={isTable}
            onChange={({ currentTarget }) =>
              onChange({ format: currentTarget.value as ReadingPlan['format'] })
            }
          >
            {withCurrent(CHOSEN_FORMATS, format).map((each) => (
              <option key={each} value={each}>
                {FORMAT_LABELS[each as ReadingPlan['format']]}
              </option>
            ))}
          </select>
        </div>
        {!isTable && (
          <div>
            <label for={`${id}charset`}>Charset</label>
            <select
              id={`${id}charset`}
              value={charset}
              onChange={({ currentTarget }) => onChange({ charset: currentTarget.value })}
            >
              {withCurrent(CHARSETS, charset).map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </div>
        )}
        {dialect !== null && (
          <>
            <div>
              <label for={`${id}delimiter`}>Delimiter</label>
              <select
                id={`${id}delimiter`}
                value={dialect.delimiter}
                onChange={({ currentTarget }) => onChange({ delimiter: currentTarget.value })}
              >
                {withCurrent(
                  DELIMITERS.map(([character]) => character),
                  dialect.delimiter,
                ).map((each) => (
                  <option key={each} value={each}>
                    {DELIMITERS.find(([character]) => character === each)?.[1] ?? each}
                  </option>
                ))}
              </select>
            </div>
            <div>
              <label for={`${id}header`}>First record</label>
              <select
                id={`${id}header`}
                value={String(dialect.header)}
                onChange={({ currentTarget }) => onChange({ header: currentTarget.value === 'true' })}
              >
                <option value="true">names the columns</option>
                <option value="false">is a row</option>
              </select>
            </div>
          </>
        )}
      </div>
      {packing !== 'none' && <p class="soft small">The file is packed with {packing}.</p>}
      {warnings.map((warning) => (
        <p key={warning} class="notice notice-warn">
          {sentence(warning)}
        </p>
      ))}
      {problem !== null && (
        <div class="notice notice-warn" role="alert">
          <p>{sentence(problem.message)}</p>
          {problem.fix !== null && (
            <div class="actions">
              <button type="button" class="button" onClick={() => onChange(problem.fix ?? {})}>
                {describeFix(problem.fix)}
              </button>
            </div>
          )}
        </div>
      )}
    </Section>
  );
}

/** A message of the plan as a sentence. */
function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

/** What the button of a fix does. */
function describeFix({ format, textField, idField, delimiter, quote, header, charset }: PlanChoices): string {
  const points = [
    format && `as ${FORMAT_LABELS[format]}`,
    charset && `in ${charset}`,
    delimiter && `with the delimiter ${DELIMITERS.find(([each]) => each === delimiter)?.[1] ?? delimiter}`,
    quote !== undefined && (quote === null ? 'without quotes' : `with the quote ${quote}`),
    header !== undefined && (header ? 'with a header' : 'without a header'),
    textField && `with the text in “${textField}”`,
    idField && `with the id in “${idField}”`,
  ];
  return `Read it ${points.filter(Boolean).join(', ')}`;
}
