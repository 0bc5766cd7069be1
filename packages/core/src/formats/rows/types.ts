/** Options of the row readers, their defaults, and the rows that they give. */

import type { RowRead } from '@embedmill/contract';
import type { Column } from '../tables/types.ts';

/** Input formats of texts. */
export type RowFormat = 'jsonl' | 'json' | 'csv' | 'tsv' | 'txt';

/** Options of `readRows`. */
export interface ReadRowsOptions {
  readonly format: RowFormat;
  /**
   * JSON key or CSV column of the text. Default `text`. Not used by txt. In JSON, a name with dots that is not
   * itself a key is a path (`review.text`).
   */
  readonly textField?: string | undefined;
  /**
   * JSON key, path or CSV column of the id. Default `id`. A CSV or TSV input without this column is rejected,
   * unless the name is the default: then its rows have no ids. Not used by txt.
   */
  readonly idField?: string | undefined;
  /** Character between two fields. Default `,` for csv, a tab for tsv; not used by the others. */
  readonly delimiter?: string | undefined;
  /**
   * Character around fields that contain delimiters or line ends; `null` if a line is a record and a quote is
   * text. Default `"`; used by csv and tsv only.
   */
  readonly quote?: string | null | undefined;
  /**
   * Whether the first record of csv or tsv names the columns. Default true; else they are called `column0`,
   * `column1` …
   */
  readonly header?: boolean | undefined;
  /** `lf` for LF and CRLF, `cr` for CR alone. Default `lf`. */
  readonly lineEnd?: 'lf' | 'cr' | undefined;
  /** Charset of the bytes; see `transcode`. Default `utf-8`. */
  readonly charset?: string | undefined;
  /** Maximum length of a record in bytes of UTF-8, without its line end. Default 1 MiB. */
  readonly maxRowBytes?: number | undefined;
  /** Maximum length of an id in bytes of UTF-8. Default 512. */
  readonly maxIdBytes?: number | undefined;
  /** Whether rows carry the values of all columns. Default false; never for txt. */
  readonly keepFields?: boolean | undefined;
}

/** The values of all columns of a row: in the order of its columns, or as a JSON object. */
export type RowFields =
  | { readonly columns: readonly Column[]; readonly values: readonly unknown[] }
  | { readonly json: Readonly<Record<string, unknown>> };

/** A row with the values of its columns, if they are kept and the record could be split into them. */
export type FieldsRow = RowRead & { readonly fields?: RowFields };

/** Defaults of the options. */
export const ROW_DEFAULTS = {
  textField: 'text',
  idField: 'id',
  maxRowBytes: 1024 * 1024,
  maxIdBytes: 512,
} as const;

/** Options with all defaults filled in, as the parsers take them. */
export type RowSettings = {
  readonly [Key in keyof ReadRowsOptions]-?: Exclude<ReadRowsOptions[Key], undefined>;
};

/** Fills in the defaults; `undefined` counts as absent. */
export function settingsOf(options: ReadRowsOptions): RowSettings {
  return {
    format: options.format,
    textField: options.textField ?? ROW_DEFAULTS.textField,
    idField: options.idField ?? ROW_DEFAULTS.idField,
    delimiter: options.delimiter ?? (options.format === 'tsv' ? '\t' : ','),
    quote: options.quote === undefined ? '"' : options.quote,
    header: options.header ?? true,
    lineEnd: options.lineEnd ?? 'lf',
    charset: options.charset ?? 'utf-8',
    maxRowBytes: options.maxRowBytes ?? ROW_DEFAULTS.maxRowBytes,
    maxIdBytes: options.maxIdBytes ?? ROW_DEFAULTS.maxIdBytes,
    keepFields: options.keepFields ?? false,
  };
}

/** The byte that ends a line. */
export function lineEndByte({ lineEnd }: Pick<RowSettings, 'lineEnd'>): number {
  return lineEnd === 'cr' ? 0x0d : 0x0a;
}
