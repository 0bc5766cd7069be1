/** The end of a child's log, for the message that says what went wrong. */

import { readFile } from 'node:fs/promises';

const LINES = 12;

/** The last lines of a log file, indented; log records become `level: message (reason)`. */
export async function logTail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n').slice(-LINES);
  return lines.map((line) => `    ${readable(line)}`).join('\n');
}

/** pino's numbers: https://github.com/pinojs/pino/blob/main/docs/api.md#logger-level */
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

function readable(line: string): string {
  try {
    const { level, msg, reason } = JSON.parse(line);
    return `${LEVELS[level] ?? 'log'}: ${msg}${reason === undefined ? '' : ` (${reason})`}`;
  } catch {
    return line;
  }
}
