/**
 * Writes flat tables as an Excel workbook of one sheet (ECMA-376, Office Open XML). Texts are inline strings, which are
 * never formulas; the first row is the header and stays in view.
 */

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { ZipFile } from 'yazl';
import type { FlatCell, FlatColumn, FlatFormat, FlatRows } from './types.ts';

/** Limits of Excel: rows of a sheet, with the header, and characters of a cell. */
const MAX_SHEET_ROWS = 1_048_576;
const MAX_CELL_CHARS = 32_767;

/** Width of a column in characters, by its kind. */
const WIDTHS = { text: 40, number: 12 } as const;

/** What XML 1.0 cannot contain: control characters and halves of characters. */
const NOT_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** The parts of the workbook besides the sheet; style 1 is bold. */
const PARTS: Readonly<Record<string, string>> = {
  '[Content_Types].xml':
    `<Types xmlns="${PACKAGE}/content-types">` +
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>' +
    '<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>' +
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>' +
    '</Types>',
  '_rels/.rels':
    `<Relationships xmlns="${PACKAGE}/relationships">` +
    `<Relationship Id="rId1" Type="${RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
  'xl/workbook.xml':
    `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}">` +
    '<sheets><sheet name="Embedmill" sheetId="1" r:id="rId1"/></sheets></workbook>',
  'xl/_rels/workbook.xml.rels':
    `<Relationships xmlns="${PACKAGE}/relationships">` +
    `<Relationship Id="rId1" Type="${RELATIONSHIPS}/worksheet" Target="worksheets/sheet1.xml"/>` +
    `<Relationship Id="rId2" Type="${RELATIONSHIPS}/styles" Target="styles.xml"/></Relationships>`,
  'xl/styles.xml':
    `<styleSheet xmlns="${MAIN}"><fonts count="2">` +
    '<font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>' +
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>' +
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>' +
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>' +
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>' +
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>' +
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
};

/** Longer texts are cut to what a cell can hold; control characters are left out. */
export const xlsx: FlatFormat = {
  contentType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  extension: '.xlsx',
  maxRows: MAX_SHEET_ROWS - 1,
  encode: encodeXlsx,
};

async function* encodeXlsx(columns: readonly FlatColumn[], rows: FlatRows): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile();
  const sheet = new PassThrough();
  // A fixed time: equal tables give equal bytes.
  const options = { mtime: new Date('1980-01-01T00:00:00Z'), forceDosTimestamp: true };
  for (const [name, content] of Object.entries(PARTS))
    zip.addBuffer(Buffer.from(HEAD + content), name, options);
  zip.addReadStream(sheet, 'xl/worksheets/sheet1.xml', options);
  zip.end();
  const output = zip.outputStream as unknown as AsyncIterable<Uint8Array> & { destroy(error?: Error): void };
  const written = writeSheet(sheet, columns, rows).catch((error) => output.destroy(error));
  try {
    yield* output;
    await written;
  } finally {
    sheet.destroy();
  }
}

async function writeSheet(sheet: PassThrough, columns: readonly FlatColumn[], rows: FlatRows): Promise<void> {
  const widths = columns.map(
    ({ kind }, i) => `<col min="${i + 1}" max="${i + 1}" width="${WIDTHS[kind]}" customWidth="1"/>`,
  );
  const pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>';
  const write = async (xml: string) => {
    if (!sheet.write(xml)) await Promise.race([once(sheet, 'drain'), once(sheet, 'close')]);
    if (sheet.destroyed) throw new Error('the workbook is no longer read');
  };
  await write(
    `${HEAD}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0">${pane}</sheetView></sheetViews>` +
      `<cols>${widths.join('')}</cols><sheetData>${rowXml(
        columns.map(({ name }) => name),
        ' s="1"',
      )}`,
  );
  for await (const some of rows) await write(some.map((row) => rowXml(row)).join(''));
  sheet.end('</sheetData></worksheet>');
}

function rowXml(cells: readonly FlatCell[], style = ''): string {
  return `<row>${cells.map((cell) => cellXml(cell, style)).join('')}</row>`;
}

/** A cell without an address is the one after the cell before it. */
function cellXml(cell: FlatCell, style: string): string {
  if (cell === null || (typeof cell === 'number' && !Number.isFinite(cell))) return `<c${style}/>`;
  if (typeof cell === 'number') return `<c${style}><v>${cell}</v></c>`;
  return `<c${style} t="inlineStr"><is><t xml:space="preserve">${escapeXml(cell)}</t></is></c>`;
}

function escapeXml(text: string): string {
  return text
    .slice(0, MAX_CELL_CHARS)
    .replace(NOT_XML, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
