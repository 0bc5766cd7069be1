/** Makes the texts of a CSV file harmless for spreadsheets. */

/**
 * A cell that starts with one of these characters is a formula for spreadsheets, which may start programs and
 * send data away (OWASP, "CSV Injection"). An apostrophe before it makes it a text. Numbers are no formulas.
 */
export function inertCell(cell: string): string {
  return /^[=+\-@\t\r]/.test(cell) && !/^[+-]?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell;
}
