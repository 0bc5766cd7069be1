/** The screen of `embedmill status`. */

import { ApiError } from '@embedmill/client';
import type { Alert, DataStorage, Health, RunInfo, Scale } from '@embedmill/contract';
import { doesNotAnswer } from '../../engine/run/does-not-answer.ts';
import { printable } from '../../shell/terminal/lines.ts';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatNoun,
  formatRate,
} from '../../shell/terminal/numbers.ts';
import type { Paint, Style } from '../../shell/terminal/style.ts';
import { formatTable } from '../../shell/terminal/table.ts';

/** What `--json` prints. */
export interface Status {
  server: string;
  health: Health;
  /** Alerts of Prometheus that fire; `null` while unknown. */
  alerts: Alert[] | null;
  /** Backlog and workers; `null` while unknown. */
  scale: Scale | null;
  /** Open and sealed runs; `null` while unknown. */
  runs: RunInfo[] | null;
  /** What is on the disk of the producer; `null` while unknown. */
  storage: DataStorage | null;
}

const STATE_STYLES = { ok: 'good', degraded: 'warning', unavailable: 'bad' } as const;
const SEVERITY_STYLES = { critical: 'bad', warning: 'warning', advice: 'strong' } as const;

/** Lines for people. */
export function describeStatus(
  { server, health, alerts, scale, runs, storage }: Status,
  paint: Paint,
): string[] {
  const { state, sentence, problems } = health;
  const sections = [
    [`${paint(STATE_STYLES[state], state)}  ${printable(server)}`],
    problems.length === 0
      ? [printable(sentence)]
      : problems.flatMap((problem) => [
          label(problem.severity, SEVERITY_STYLES[problem.severity], problem.sentence, paint),
          `  ${printable(problem.remedy)}`,
        ]),
    (alerts ?? []).flatMap((alert) => describeAlert(alert, paint)),
    formatTable([
      ...(scale === null ? [] : scaleRows(scale)),
      ...(storage === null ? [] : [storageRow(storage)]),
    ]),
    runs === null || runs.length === 0 ? [] : describeActiveRuns(runs),
  ].filter((lines) => lines.length > 0);
  return sections.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

function label(severity: string, style: Style, sentence: string, paint: Paint): string {
  // Escaped before they are painted: colours are control characters, too.
  return `${paint(style, printable(severity))}: ${printable(sentence)}`;
}

const isProblem = (severity: string): severity is keyof typeof SEVERITY_STYLES =>
  Object.hasOwn(SEVERITY_STYLES, severity);

function describeAlert({ name, severity, summary, runbookUrl, startsAt }: Alert, paint: Paint): string[] {
  const style = isProblem(severity) ? SEVERITY_STYLES[severity] : 'strong';
  const sinceSeconds = Math.max(0, (Date.now() - Date.parse(startsAt)) / 1000);
  const what = `${name} for ${formatDuration(sinceSeconds)}: ${summary}`;
  return [
    label(severity === '' ? 'alert' : `${severity} alert`, style, what, paint),
    ...(runbookUrl === null ? [] : [`  ${printable(runbookUrl)}`]),
  ];
}

function scaleRows(scale: Scale): string[][] {
  const { workers, cpuSaturation, backlogRows, rowsPerSecond, tokensPerSecond, desiredWorkers } = scale;
  const load = cpuSaturation === null ? '' : `, CPU ${Math.round(100 * cpuSaturation)} %`;
  return [
    [
      'workers',
      `${formatCount(workers)} connected${load}, ${formatCount(desiredWorkers)} wanted for the backlog`,
    ],
    ['backlog', `${formatCount(backlogRows)} rows`],
    ['speed', `${formatRate(rowsPerSecond)} rows/s, ${formatRate(tokensPerSecond)} tokens/s`],
  ];
}

function storageRow({ runsBytes, filesBytes, freeBytes, keepRunsDays }: DataStorage): string[] {
  const files = filesBytes === 0 ? '' : `, ${formatBytes(filesBytes)} in files`;
  const free = freeBytes === null ? '' : `, ${formatBytes(freeBytes)} free`;
  const kept = keepRunsDays === null ? '' : `; runs are kept for ${formatNoun(keepRunsDays, 'day')}`;
  return ['data', `${formatBytes(runsBytes)} in runs${files}${free}${kept}`];
}

function describeActiveRuns(runs: readonly RunInfo[]): string[] {
  return formatTable(
    [
      ['RUN', 'STATE', 'DONE', 'OF', 'ROWS/S', 'ETA', 'WAITS FOR'],
      ...runs.map((run) => [
        run.id,
        run.state,
        formatCount(run.rows.done),
        formatCount(run.rows.accepted),
        formatRate(run.rowsPerSecond),
        run.etaSeconds === null ? '' : formatClock(run.etaSeconds),
        run.error ?? run.waitsFor ?? '',
      ]),
    ],
    [2, 3, 4, 5],
  );
}

/** The health of a producer that does not answer. */
export function unreachable(server: string, error: Error): Health {
  // An answer without health is that of an earlier version, of a proxy or of another program.
  const isAnswer = error instanceof ApiError;
  const sentence = isAnswer
    ? `${server} does not report its health: ${error.message} (status ${error.status}).`
    : doesNotAnswer(server, error);
  const remedy = isAnswer
    ? 'Check that --server is the address of a producer, of this version or later.'
    : 'Start it with "embedmill up" or "embedmill producer", or give its address with --server.';
  return {
    state: 'unavailable',
    sentence,
    problems: [
      {
        code: 'producer',
        severity: 'critical',
        sentence,
        remedy,
        mayPass: true,
        refusesRows: true,
        run: null,
      },
    ],
  };
}
