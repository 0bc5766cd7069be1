/**
 * Makes the reading plan of an input from its name and its first bytes.
 *
 * The steps, each on the result of the one before: what kind of file it is, its charset, its line ends, its
 * format, its columns, which of them hold the text and the id, and how many records of the sample have a text.
 * A step that finds something wrong states one problem with the choices that solve it; the first problem counts,
 * because the later ones may follow from it. Nothing that changes a text is guessed silently: a charset that
 * the bytes do not prove, or a column that the user did not name, is proposed instead
 * (docs/decisions/0130-a-reading-plan-before-a-run.md).
 */

import { countScripts, quote } from '@embedmill/contract';
import { columnNames } from '../rows/csv.ts';
import { faultOf } from '../rows/decode.ts';
import { fieldOf, isObject, type JsonObject, parseJson } from '../rows/jsonl.ts';
import { parserFor } from '../rows/read.ts';
import { charsetNamed, transcodeSample } from '../rows/transcode.ts';
import { ROW_DEFAULTS, type RowFormat, type RowSettings, settingsOf } from '../rows/types.ts';
import { type CharsetFound, charsetOf } from './charset.ts';
import { describeColumn, idColumn, proseColumn } from './columns.ts';
import { hasHeader, type SplitSample, splitSample, wholeRecords } from './dialect.ts';
import { containerOf, foreignFile, formatOfName } from './magic.ts';
import type {
  InputFormat,
  LineEnd,
  PlanChoices,
  PlanColumn,
  PlanProblem,
  ReadingPlan,
  Sample,
} from './types.ts';

/** Texts whose letters are counted by script. */
const MAX_SCRIPT_TEXTS = 500;

/** Records whose values describe the columns. */
const MAX_DESCRIBED = 1_000;

/** Lines that are examined to tell JSON from other formats. */
const MAX_COMPARED_LINES = 50;

/** Levels of objects in which a text is looked for. */
const MAX_DEPTH = 3;

/** Maximum share of zero bytes in a text other than UTF-16. */
const MAX_ZERO_SHARE = 0.001;

/** The parts of a plan that the steps fill in. */
export type Draft<Format = InputFormat> = {
  -readonly [Key in keyof ReadingPlan<Format>]: ReadingPlan<Format>[Key];
} & { warnings: string[] };

/** Problems that one proposal solves together: charset, format, header and columns. */
const MAX_PROBLEMS = 5;

/**
 * The plan of an input. A problem has a fix only if the input can be read with it: the fix of one problem may
 * show the next one, so that the fixes of all are proposed together.
 * @param sample its first bytes; unless `complete`, the last record in them is ignored
 * @param choices what the user decided, which is never overruled
 * @throws {RequestError} `unknown-charset` if the chosen charset does not exist
 */
export function planReading(
  sample: Sample,
  choices: PlanChoices,
  options: { maxRowBytes?: number } = {},
): ReadingPlan {
  const plan = planOnce(sample, choices, options);
  let fix = plan.problem?.fix ?? null;
  let message = plan.problem?.message ?? '';
  for (let count = 1; fix !== null; count++) {
    const { problem } = planOnce(sample, { ...choices, ...fix }, options);
    if (problem === null) break;
    if (!message.includes(problem.message)) message += `; ${problem.message}`;
    fix = problem.fix === null || count === MAX_PROBLEMS ? null : { ...fix, ...problem.fix };
  }
  return plan.problem === null ? plan : { ...plan, problem: { ...plan.problem, message, fix } };
}

/** The plan of an input of which nothing is known but its name and format, and perhaps its packing. */
export function emptyPlan<Format>(
  name: string,
  format: Format,
  { packing = 'none', complete = false }: Partial<Pick<Sample, 'packing' | 'complete'>> = {},
): Draft<Format> {
  return {
    name,
    packing,
    charset: 'utf-8',
    format,
    lineEnd: null,
    dialect: null,
    columns: [],
    textField: null,
    idField: null,
    records: 0,
    usable: 0,
    scripts: {},
    complete,
    confidence: 'high',
    warnings: [],
    problem: null,
  };
}

/** The plan with the first problem alone, whose fix is not tried. */
function planOnce(
  sample: Sample,
  choices: PlanChoices,
  { maxRowBytes = ROW_DEFAULTS.maxRowBytes }: { maxRowBytes?: number },
): ReadingPlan {
  const named = choices.format ?? formatOfName(sample.name) ?? 'txt';
  const plan: Draft = emptyPlan(sample.name, named, sample);
  const container = containerOf(sample.bytes);
  if (container !== null) return { ...plan, format: container };
  const foreign = foreignFile(sample.bytes);
  if (foreign !== null) {
    return withProblem(plan, { code: 'not-text', message: `the input is ${foreign}`, fix: null });
  }
  const text = decodeSample(plan, sample.bytes, choices);
  if (text.toString().trim() === '') {
    return plan.complete ? planEmpty(plan, choices) : plan;
  }
  if (plan.problem === null && zeroShare(text) > MAX_ZERO_SHARE) {
    const message = 'the input is not text: it contains zero bytes; expected JSON, CSV, TSV or plain text';
    return withProblem(plan, { code: 'not-text', message, fix: null });
  }
  plan.lineEnd = lineEndOf(text, plan.format === 'txt');
  const settings = settingsOf({
    format: 'txt',
    textField: choices.textField,
    idField: choices.idField,
    lineEnd: plan.lineEnd === 'cr' ? 'cr' : 'lf',
    charset: plan.charset,
    maxRowBytes,
  });
  const format = chooseFormat(plan, text, settings, choices);
  if (format === 'csv' || format === 'tsv') planTable(plan, text, { ...settings, format }, choices);
  else if (format === 'txt') planText(plan, text, { ...settings, format }, choices);
  else planJson(plan, text, { ...settings, format }, choices);
  return plan;
}

/** Adds a problem; the first one counts. */
export function withProblem<Plan extends Draft<unknown>>(plan: Plan, problem: PlanProblem): Plan {
  plan.problem ??= problem;
  plan.confidence = 'low';
  return plan;
}

/** An empty file of JSON or of texts has no rows; an empty table has no columns either. */
function planEmpty(plan: Draft, choices: PlanChoices): Draft {
  if (plan.format === 'csv' || plan.format === 'tsv') {
    return withProblem(plan, { code: 'empty', message: 'the input is empty; expected a header', fix: null });
  }
  if (choices.format !== undefined || formatOfName(plan.name) !== null) return plan;
  const message = `the input is empty, and the name ${quote(plan.name, 200)} does not show its format`;
  return withProblem(plan, { code: 'empty', message, fix: { format: 'jsonl' } });
}

/** The sample in UTF-8, without a byte order mark. */
function decodeSample(plan: Draft, bytes: Uint8Array, choices: PlanChoices): Buffer {
  const found: CharsetFound =
    choices.charset === undefined ? charsetOf(bytes) : { charset: charsetNamed(choices.charset), by: 'mark' };
  plan.charset = found.charset;
  const text = transcodeSample(bytes, found.charset);
  if (found.by === 'mixed') {
    plan.warnings.push('some lines are not UTF-8 and will fail; add a charset if the file has another one');
    plan.confidence = 'medium';
  }
  if (found.by === 'guess') {
    const example = quote(text.toString().match(/[^\n\r]*[^\0-\x7f][^\n\r]*/)?.[0] ?? '', 80);
    withProblem(plan, {
      code: 'unknown-charset',
      message: `the input is not UTF-8; its charset is probably ${found.charset}, in which a line is ${example}`,
      fix: { charset: found.charset },
    });
  }
  return text.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? text.subarray(3) : text;
}

function zeroShare(text: Buffer): number {
  let zeros = 0;
  for (let at = text.indexOf(0); at !== -1; at = text.indexOf(0, at + 1)) zeros++;
  return zeros / text.length;
}

/** CR counts as a line end only where LF does not: inside CRLF files and texts it is something else. */
function lineEndOf(text: Buffer, isText: boolean): LineEnd | null {
  let [feeds, pairs, returns] = [0, 0, 0];
  for (let at = text.indexOf(0x0a); at !== -1; at = text.indexOf(0x0a, at + 1)) {
    feeds++;
    if (text[at - 1] === 0x0d) pairs++;
  }
  for (let at = text.indexOf(0x0d); at !== -1; at = text.indexOf(0x0d, at + 1)) returns++;
  const alone = returns - pairs;
  if (feeds === 0 && alone === 0) return null;
  if (feeds === 0) return 'cr';
  // Records from an old Excel for Mac end with CR, and lines within its cells with LF.
  const hasCells = alone > 0 && pairs === 0 && !isText;
  if (
    hasCells &&
    !text
      .toString('latin1')
      .replaceAll(/"[^"]*"/g, '')
      .includes('\n')
  )
    return 'cr';
  return pairs * 2 > feeds ? 'crlf' : 'lf';
}

/** The format: as chosen, else as the name says unless the content is clearly something else. */
function chooseFormat(plan: Draft, text: Buffer, settings: RowSettings, choices: PlanChoices): RowFormat {
  const json = jsonKind(text, settings, plan.complete);
  const named = formatOfName(plan.name);
  const isTable =
    choices.delimiter !== undefined || choices.header !== undefined || choices.quote !== undefined;
  const isNamedJson = named === 'jsonl' || named === 'json';
  const wanted = choices.format ?? (isTable && named !== 'tsv' && !isNamedJson ? 'csv' : named);
  const format = resolveFormat(wanted);
  plan.format = format;
  return format;

  function resolveFormat(wanted: InputFormat | null): RowFormat {
    if (wanted === 'txt') {
      if (json !== null && choices.format === undefined) {
        plan.warnings.push(
          'the lines are JSON, and each is embedded as it is; choose the format jsonl to read its text',
        );
        plan.confidence = 'medium';
      }
      return 'txt';
    }
    if (wanted === 'csv' || wanted === 'tsv') {
      if (json === null || choices.format !== undefined) return wanted;
      plan.warnings.push(`the content is JSON, although the name ends like ${wanted}`);
      return json;
    }
    if (wanted === 'jsonl' || wanted === 'json') {
      if (json !== null) return json;
      const other = guessFormat(text, settings, plan.complete);
      withProblem(plan, {
        code: 'not-json',
        message: `the input is not JSON: it starts with ${quote(text.toString('utf8', 0, 200), 60)}`,
        fix: { format: other.format },
      });
      return other.format;
    }
    if (json !== null) return json;
    const guessed = guessFormat(text, settings, plan.complete);
    plan.confidence = 'medium';
    if (!guessed.isSure) {
      withProblem(plan, {
        code: 'unknown-format',
        message: `the name ${quote(plan.name, 200)} does not show the format, and the content is not JSON or a table with a column ${quote(settings.textField)}; expected .jsonl, .json, .csv, .tsv or .txt`,
        fix: { format: guessed.format },
      });
    }
    return guessed.format;
  }
}

/** Which JSON the content is, or `null` for something else. */
function jsonKind(text: Buffer, settings: RowSettings, complete: boolean): 'jsonl' | 'json' | null {
  const start = text.toString('utf8', 0, 4096).trimStart();
  const lines = wholeRecords(text, { ...settings, format: 'jsonl' }, complete)
    .filter(({ bytes }) => bytes.toString('utf8', 0, 4096).trim() !== '')
    .slice(0, MAX_COMPARED_LINES);
  const parsed = lines.map(({ bytes, fault }) => (fault === null ? tryParse(bytes.toString()) : undefined));
  const objects = parsed.filter(isObject).length;
  const isJsonStart = /^(\{\s*("|\}|$)|\[\s*(\{|\[|"|\]|-?\d|null|true|false|$))/.test(start);
  // A line that is not JSON, such as the note of a tool, may come first.
  if (!isJsonStart) return objects * 2 > lines.length ? 'jsonl' : null;
  if (objects > 0 && (isObject(parsed[0]) || start.startsWith('{'))) return 'jsonl';
  return start.startsWith('{') && lines.length <= 1 ? 'jsonl' : 'json';
}

function tryParse(json: string): unknown {
  try {
    return parseJson(json);
  } catch {
    return undefined;
  }
}

/** The format of content that is not JSON; sure if it is a table with the wanted column. */
function guessFormat(
  text: Buffer,
  settings: RowSettings,
  complete: boolean,
): { format: 'csv' | 'tsv' | 'txt'; isSure: boolean } {
  const table = splitSample(text, 'csv', { ...settings, format: 'csv' }, {}, complete);
  if (table.agreement < 0.95 || table.records.length < 2) return { format: 'txt', isSure: false };
  const format = table.delimiter === '\t' ? 'tsv' : 'csv';
  return { format, isSure: table.records[0]?.some((name) => name.trim() === settings.textField) ?? false };
}

/** Fills in the plan of plain text. */
function planText(plan: Draft, text: Buffer, settings: RowSettings, choices: PlanChoices): void {
  const named = choices.textField ?? choices.idField;
  if (named !== undefined) {
    const message = `a txt input has no field ${quote(named)}: each of its lines is one text; expected json, jsonl, csv or tsv`;
    withProblem(plan, { code: 'missing-column', message, fix: null });
  }
  countUsable(plan, text, settings);
}

/** Fills in the plan of CSV and TSV. */
function planTable(plan: Draft, text: Buffer, settings: RowSettings, choices: PlanChoices): void {
  const asked = settings.format === 'tsv' ? 'tsv' : 'csv';
  let table: SplitSample = splitSample(text, asked, settings, choices, plan.complete);
  if (asked === 'tsv' && table.delimiter !== '\t') {
    table = splitSample(text, 'csv', settings, { ...choices, delimiter: table.delimiter }, plan.complete);
  }
  const { delimiter, quote: mark, records } = table;
  const fault = table.first === undefined ? null : faultOf(table.first, settings);
  if (fault !== null) {
    const message = `the first record, in line ${fault.line}, cannot be read: ${fault.message}`;
    withProblem(plan, { code: 'invalid-header', message, fix: null });
    return;
  }
  const header = choices.header ?? hasHeader(records, settings.textField);
  if (table.hiddenWidth > 0 && header) {
    withProblem(plan, {
      code: 'short-header',
      message: `the header ${quote(records[0]?.[0] ?? '')} has 1 column, but every record has ${table.hiddenWidth}`,
      fix: null,
    });
  }
  plan.dialect = { delimiter, quote: mark, header };
  const [first = []] = records;
  const names = header ? columnNames(first) : first.map((_, n) => `column${n}`);
  const values = (header ? records.slice(1) : records).slice(0, MAX_DESCRIBED);
  plan.columns = names.map((name, n) =>
    describeColumn(
      name,
      values.map((fields) => fields[n]),
    ),
  );
  const expected = asked === 'tsv' ? '\t' : ',';
  if (delimiter !== expected && choices.delimiter === undefined) plan.confidence = 'medium';
  if (!header && choices.header === undefined) {
    const prose = proseColumn(plan.columns, settings.textField);
    withProblem(plan, {
      code: 'no-header',
      message: `the first record ${quote(first, 120)} is not a header`,
      fix: { header: false, ...(prose === null || names.length === 1 ? {} : { textField: prose }) },
    });
  }
  const isOnly = !header && names.length === 1 && choices.textField === undefined;
  chooseFields(
    plan,
    plan.columns,
    isOnly ? { ...settings, textField: 'column0' } : settings,
    choices,
    'column',
  );
  countUsable(plan, text, { ...settings, ...plan.dialect });
}

/** Fills in the plan of JSON lines and JSON arrays. */
function planJson(plan: Draft, text: Buffer, settings: RowSettings, choices: PlanChoices): void {
  const records = recordsOf(plan, text, settings);
  const objects: JsonObject[] = [];
  for (const { bytes, fault } of records.slice(0, MAX_DESCRIBED)) {
    const value = fault === null ? tryParse(bytes.toString()) : undefined;
    if (isObject(value)) objects.push(value);
  }
  if (objects.length === 0) {
    plan.records = records.length;
    if (records.length > 0 && records.every(({ fault }) => fault !== null)) {
      plan.textField = settings.textField;
      countUsable(plan, text, settings);
    } else if (records.length > 0) {
      const first = quote(records[0]?.bytes.toString() ?? '');
      const message = `the input has no JSON objects; its first value is ${first}; expected objects such as {"id":"1","text":"Fits well."}`;
      withProblem(plan, { code: 'no-objects', message, fix: null });
    }
    return;
  }
  const keys = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  plan.columns = keys.map((key) =>
    describeColumn(
      key,
      objects.map((object) => (Object.hasOwn(object, key) ? object[key] : undefined)),
    ),
  );
  const list = keys.find((key) => {
    const value = objects[0]?.[key];
    return Array.isArray(value) && value.some(isObject);
  });
  const isWrapper =
    objects.length === 1 && list !== undefined && fieldOf(objects[0] ?? {}, settings.textField) === undefined;
  if (isWrapper) {
    const message = `the input is one object with an array of objects in ${quote(list)}; expected the array alone (jq '.${list}' extracts it)`;
    withProblem(plan, { code: 'wrapped-array', message, fix: null });
  }
  const paths = [...new Set(objects.flatMap((object) => nestedPaths(object, MAX_DEPTH)))];
  const nested = paths.map((path) =>
    describeColumn(
      path,
      objects.map((object) => fieldOf(object, path)),
    ),
  );
  const wanted = [settings.textField, settings.idField].filter(
    (name) => name.includes('.') && !keys.includes(name),
  );
  const chosen = wanted
    .filter((path) => objects.some((object) => fieldOf(object, path) !== undefined))
    .map((path) =>
      describeColumn(
        path,
        objects.map((object) => fieldOf(object, path)),
      ),
    );
  chooseFields(plan, [...plan.columns, ...nested, ...chosen], settings, choices, 'field');
  countUsable(plan, text, settings);
}

/** Paths of the values in nested objects; none for the top level. */
function nestedPaths(object: JsonObject, depth: number): string[] {
  return Object.entries(object).flatMap(([key, value]) => {
    if (depth === 1 || !isObject(value) || key.includes('.')) return [];
    return [
      ...Object.keys(value)
        .filter((inner) => !inner.includes('.'))
        .map((inner) => `${key}.${inner}`),
      ...nestedPaths(value, depth - 1).map((path) => `${key}.${path}`),
    ];
  });
}

/** Chooses the text and the id among the columns. */
export function chooseFields(
  plan: Draft<unknown>,
  columns: readonly PlanColumn[],
  { textField, idField }: Pick<RowSettings, 'textField' | 'idField'>,
  choices: PlanChoices,
  noun: 'column' | 'field',
): void {
  const names = columns.map(({ name }) => name);
  const shown = plan.columns.map(({ name }) => quote(name));
  const list = `the ${noun}s are ${shown.slice(0, 30).join(', ')}${shown.length > 30 ? ' …' : ''}`;
  if (names.includes(textField)) plan.textField = textField;
  else {
    const same = columns.filter(({ name }) => isNumbered(name, textField));
    if (same.length > 1) {
      const message = `${same.length} columns are called ${quote(textField)}; here they are ${same.map(({ name }) => quote(name)).join(', ')}`;
      const prose = proseColumn(same, '') ?? same[0]?.name;
      withProblem(plan, { code: 'repeated-column', message, fix: { textField: prose } });
    } else {
      const prose = proseColumn(columns, textField);
      withProblem(plan, {
        code: 'missing-column',
        message: `the input has no ${noun} ${quote(textField)}: ${list}`,
        fix: prose === null ? null : { textField: prose },
      });
    }
  }
  if (names.includes(idField)) plan.idField = idField;
  else if (choices.idField !== undefined || columns.some(({ name }) => isNumbered(name, idField))) {
    const id = columns.find(({ name }) => isNumbered(name, idField))?.name ?? idColumn(columns, idField);
    withProblem(plan, {
      code: 'missing-column',
      message: `the input has no ${noun} ${quote(idField)}: ${list}`,
      fix: id === null ? null : { idField: id },
    });
  }
}

/** Whether `columnNames` made this name of one that occurs more than once. */
function isNumbered(name: string, base: string): boolean {
  return name.startsWith(`${base}_`) && /^\d+$/.test(name.slice(base.length + 1));
}

function recordsOf(plan: Draft, text: Buffer, settings: RowSettings): ReturnType<typeof wholeRecords> {
  try {
    return wholeRecords(text, settings, plan.complete);
  } catch (error) {
    withProblem(plan, {
      code: 'truncated-json',
      message: error instanceof Error ? error.message : String(error),
      fix: null,
    });
    return wholeRecords(text, settings, false);
  }
}

/** Counts the letters by script of at most 500 texts, spread over all. */
export function scriptsOf(texts: readonly string[]): Record<string, number> {
  const step = Math.max(1, texts.length / MAX_SCRIPT_TEXTS);
  const counts: Record<string, number> = {};
  for (let at = 0; at < texts.length; at += step) {
    for (const [script, letters] of countScripts(texts[Math.floor(at)]!)) {
      counts[script] = (counts[script] ?? 0) + letters;
    }
  }
  return counts;
}

/** Counts the records of the sample, and those with a text, by reading them. */
function countUsable(plan: Draft, text: Buffer, settings: RowSettings): void {
  if (settings.format !== 'txt' && plan.textField === null) return;
  const { textField, idField } = plan;
  const reading = {
    ...settings,
    ...(textField === null ? {} : { textField }),
    ...(idField === null ? {} : { idField }),
  };
  const rows = parserFor(reading).parse(recordsOf(plan, text, reading));
  const usable = rows.filter((row) => row.ok && row.text.trim() !== '');
  const bad = rows.find((row) => !row.ok);
  plan.records = rows.length;
  plan.usable = usable.length;
  plan.scripts = scriptsOf(usable.map((row) => (row.ok ? row.text : '')));
  if (bad === undefined || bad.ok) return;
  const count = rows.filter((row) => !row.ok).length;
  if (usable.length === 0 && count === rows.length && bad.code !== 'missing-text') {
    withProblem(plan, {
      code: 'no-usable-record',
      message: `no record can be read: ${bad.message}`,
      fix: null,
    });
  } else
    plan.warnings.push(
      `${count} of the first ${rows.length.toLocaleString('en')} records cannot be read: ${bad.message}`,
    );
}
