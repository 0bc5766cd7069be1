/** Completes the reading plan of a table, which says itself what its columns are. */

import { describeColumn } from '../plan/columns.ts';
import { chooseFields, type Draft, emptyPlan, scriptsOf, withProblem } from '../plan/plan.ts';
import type { ColumnType, DatabaseFormat, PlanChoices, PlanColumn, ReadingPlan } from '../plan/types.ts';
import { ROW_DEFAULTS } from '../rows/types.ts';
import { findColumn, holdsText, textFault } from './rows.ts';
import type { Column, DataType, Table } from './types.ts';
import { jsonText, toJson } from './values.ts';

/** Rows whose values describe the columns. */
const MAX_DESCRIBED = 1_000;

/** Levels of structs in which a text is looked for. */
const MAX_DEPTH = 3;

/**
 * The plan of a table.
 * @param plan of its container, without columns
 * @throws {CorruptError} if its first rows are damaged
 */
export async function planTableReading<Format>(
  plan: ReadingPlan<Format>,
  table: Table,
  choices: PlanChoices,
): Promise<ReadingPlan<Format>> {
  const draft: Draft<Format> = { ...plan, warnings: [...plan.warnings] };
  const { rows, values } = await firstRows(table);
  const described = table.columns.map(({ name, type }, n) => describeTyped(name, type, values[n] ?? []));
  const nested = table.columns.flatMap((column, n) => describeNested(column, values[n] ?? [], MAX_DEPTH));
  draft.columns = described;
  const settings = {
    textField: choices.textField ?? ROW_DEFAULTS.textField,
    idField: choices.idField ?? ROW_DEFAULTS.idField,
  };
  for (const { code, option } of unusedChoices(choices)) {
    const message = `${option} does not apply to a table, which states its columns`;
    withProblem(draft, { code, message, fix: null });
  }
  chooseFields(draft, [...described, ...nested], settings, choices, 'column');
  draft.records = rows;
  draft.complete = table.rows === null ? rows < MAX_DESCRIBED : rows >= table.rows;
  const text = draft.textField === null ? null : findColumn(table.columns, draft.textField);
  if (text === null) return draft;
  if (!holdsText(text.type))
    withProblem(draft, { code: 'text-not-string', message: textFault(text), fix: null });
  const at = table.columns.indexOf(text.column);
  const texts = (values[at] ?? []).map((value) => text.fields.reduce(fieldOf, value));
  const usable = texts.filter((value) => value !== null && value !== undefined && value !== '');
  draft.usable = usable.length;
  draft.scripts = scriptsOf(usable.map(String));
  return draft;
}

async function firstRows(table: Table): Promise<{ rows: number; values: readonly (readonly unknown[])[] }> {
  const values: unknown[][] = table.columns.map(() => []);
  let rows = 0;
  for await (const slice of table.read()) {
    for (const [n, column] of values.entries()) column.push(...(slice.values[n] ?? []));
    rows += slice.rows;
    if (rows >= MAX_DESCRIBED) break;
  }
  return { rows, values };
}

/**
 * The plan of a table that is not a file.
 * @param name of the table
 */
export function planDatabaseTable(
  name: string,
  format: DatabaseFormat,
  table: Table,
  choices: PlanChoices,
): Promise<ReadingPlan<DatabaseFormat>> {
  return planTableReading(emptyPlan(name, format), table, choices);
}

/** Choices about text files that a table leaves no room for. */
function unusedChoices(choices: PlanChoices): { code: string; option: string }[] {
  return (['delimiter', 'quote', 'header', 'charset'] as const)
    .filter((name) => choices[name] !== undefined)
    .map((name) => ({ code: 'unused-choice', option: `--${name}` }));
}

function describeTyped(name: string, type: DataType, values: readonly unknown[]): PlanColumn {
  const column = describeColumn(
    name,
    values.map((value) => plainValue(value, type)),
  );
  return { ...column, type: columnTypeOf(type) ?? column.type };
}

function plainValue(value: unknown, type: DataType): unknown {
  const json = toJson(value, type);
  return typeof json === 'bigint' || type.kind === 'decimal' ? jsonText(json) : json;
}

/** `null` for strings, whose values say more, and for columns without values. */
function columnTypeOf({ kind }: DataType): ColumnType {
  switch (kind) {
    case 'boolean':
    case 'integer':
    case 'list':
      return kind;
    case 'float':
    case 'decimal':
      return 'number';
    case 'date':
    case 'time':
    case 'timestamp':
      return 'time';
    case 'struct':
      return 'object';
    default:
      return null;
  }
}

/** The fields of structs, called by their paths. */
function describeNested({ name, type }: Column, values: readonly unknown[], depth: number): PlanColumn[] {
  if (type.kind !== 'struct' || depth === 1) return [];
  return type.fields.flatMap((field) => {
    const path = `${name}.${field.name}`;
    const inner = values.map((value) => fieldOf(value, field.name));
    return [
      describeTyped(path, field.type, inner),
      ...describeNested({ name: path, type: field.type }, inner, depth - 1),
    ];
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return value === null || value === undefined ? null : (value as Record<string, unknown>)[name];
}
