/** Describes reading plans for people: in one line, and in full. */

import { type InputPlan, isTableFormat, type PlanColumn } from '@embedmill/core/formats';
import { formatNoun } from '../../shell/terminal/numbers.ts';
import { formatTable } from '../../shell/terminal/table.ts';
import { flagsFor } from './choices.ts';

/** Names of the formats in prose. */
const FORMAT_NAMES: Readonly<Record<InputPlan['format'], string>> = {
  jsonl: 'JSON lines',
  json: 'JSON',
  csv: 'CSV',
  tsv: 'TSV',
  txt: 'plain text, one text per line',
  parquet: 'Parquet',
  arrow: 'Arrow',
  lance: 'LanceDB table',
  query: 'SQL query',
};

const LINE_END_NAMES = { lf: 'LF', crlf: 'CRLF', cr: 'CR' } as const;

/** How an input is read, in one line: the format, what is unusual about it, and its fields. */
export function describeReading(plan: InputPlan): string {
  const { dialect, packing, charset, lineEnd, textField, idField } = plan;
  const details = [
    packing === 'none' ? '' : packing,
    charset === 'utf-8' ? '' : charset,
    lineEnd === 'cr' ? 'lines end with CR' : '',
    dialect === null ? '' : describeDialect(plan),
  ].filter((detail) => detail !== '');
  const fields = [
    textField === null ? '' : `text in ${textField}`,
    idField === null ? 'ids are row numbers' : `ids in ${idField}`,
  ].filter((field) => field !== '');
  const about = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return `${FORMAT_NAMES[plan.format]}${about}; ${fields.join(', ')}`;
}

/** What is unusual about the dialect of a table; empty for a comma or tab and a header. */
function describeDialect({ dialect, format }: InputPlan): string {
  if (dialect === null) return '';
  const { delimiter, quote, header } = dialect;
  const isTsv = format === 'tsv';
  return [
    delimiter === (isTsv ? '\t' : ',') ? '' : `delimiter ${delimiter === '\t' ? 'tab' : delimiter}`,
    quote === (isTsv ? null : '"') ? '' : `quote ${quote ?? 'none'}`,
    header ? '' : 'no header',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** The plan in full, as lines. */
export function describePlan(plan: InputPlan): string[] {
  const { dialect, lineEnd, textField, idField, problem } = plan;
  const isTable = isTableFormat(plan.format);
  const facts: [string, string][] = [['format', FORMAT_NAMES[plan.format]]];
  if (plan.packing !== 'none') facts.push(['packing', plan.packing]);
  if (!isTable) facts.push(['charset', plan.charset]);
  if (lineEnd !== null) facts.push(['line end', LINE_END_NAMES[lineEnd]]);
  if (dialect !== null) {
    facts.push(['delimiter', dialect.delimiter === '\t' ? 'tab' : dialect.delimiter]);
    facts.push(['quote', dialect.quote ?? 'none'], ['header', dialect.header ? 'yes' : 'no']);
  }
  if (plan.format !== 'txt') facts.push(['text', textField ?? 'not found']);
  facts.push(['id', idField ?? 'row numbers']);
  if (!isTable) {
    const of = plan.complete ? '' : ' in the first part of the file';
    facts.push(['records', `${formatNoun(plan.records, 'record')}${of}, ${plan.usable} with a text`]);
  }
  facts.push(['confidence', plan.confidence]);
  const columns = plan.columns.map((column) => [column.name, column.type ?? 'empty', describeRole(column)]);
  return [
    ...formatTable(facts).map((line) => `  ${line}`),
    ...(columns.length === 0 ? [] : ['  columns', ...formatTable(columns).map((line) => `    ${line}`)]),
    ...plan.warnings.map((warning) => `  ! ${warning}`),
    ...(problem === null ? [] : [`  ✗ ${problem.message}`]),
    ...(problem === null || problem.fix === null ? [] : [`    add ${flagsFor(problem.fix)}`]),
  ];
}

function describeRole({ isProse, isUnique }: PlanColumn): string {
  if (isProse) return 'prose';
  return isUnique ? 'unique' : '';
}
