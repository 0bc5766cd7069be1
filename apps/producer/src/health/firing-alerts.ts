/**
 * The firing alerts that Alertmanager has sent: in memory, because they are news, and because the loss of Redis is one of them.
 * Decision: docs/decisions/0210.
 */

import { createHash } from 'node:crypto';
import type { Alert } from '@embedmill/contract';
import * as z from 'zod';

/** Maximum alerts that are kept; more of them say nothing new. */
const MAX_ALERTS = 100;

/** An alert that is not repeated for this long is forgotten: three times the `repeat_interval` of infra/alertmanager. */
const EXPIRY_MS = 15 * 60_000;

/** Characters that are kept of a name, and of a summary or URL. */
const MAX_NAME = 100;
const MAX_TEXT = 500;

const SEVERITIES = ['critical', 'warning'];

const strings = z.record(z.string(), z.string());

/**
 * Body of `POST /v1/alerts`: the webhook of Alertmanager, version 4, of which other fields are ignored
 * (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
 */
export const alertsBody = z.object({
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: strings.describe('`alertname` and `severity` are shown.'),
        annotations: strings.optional().describe('`summary` and `runbook_url` are shown.'),
        startsAt: z.iso.datetime({ offset: true }),
      }),
    )
    .describe('Alerts that fire, and those that have ended.'),
});

/** Dependencies of {@link FiringAlerts}; tests pass their own clock. */
export interface FiringAlertsDeps {
  /** Milliseconds of a monotonic clock. Default: `performance.now`. */
  now?: () => number;
}

/** Keeps at most 100 alerts, the critical ones first, until they end or are not repeated for 15 minutes. */
export class FiringAlerts {
  readonly #now: () => number;
  /** By the digest of the labels, which identify an alert. */
  readonly #alerts = new Map<string, { alert: Alert; receivedMs: number }>();

  constructor({ now = () => performance.now() }: FiringAlertsDeps = {}) {
    this.#now = now;
  }

  /** Adds the alerts that fire and removes those that have ended. */
  receive({ alerts }: z.output<typeof alertsBody>): void {
    const receivedMs = this.#now();
    for (const { status, labels, annotations = {}, startsAt } of alerts) {
      const key = createHash('sha256')
        .update(JSON.stringify(Object.entries(labels).sort()))
        .digest('hex');
      if (status === 'resolved') this.#alerts.delete(key);
      else this.#alerts.set(key, { alert: alertOf(labels, annotations, startsAt), receivedMs });
    }
    const surplus = this.#sorted().slice(MAX_ALERTS);
    for (const [key] of surplus) this.#alerts.delete(key);
  }

  /** The critical ones first, then the oldest. */
  list(): Alert[] {
    const oldestMs = this.#now() - EXPIRY_MS;
    for (const [key, { receivedMs }] of this.#alerts) if (receivedMs < oldestMs) this.#alerts.delete(key);
    return this.#sorted().map(([, { alert }]) => alert);
  }

  #sorted() {
    const weightOf = ({ severity }: Alert) => {
      const place = SEVERITIES.indexOf(severity);
      return place === -1 ? SEVERITIES.length : place;
    };
    return [...this.#alerts].sort(
      ([, { alert: a }], [, { alert: b }]) =>
        weightOf(a) - weightOf(b) || a.startsAt.localeCompare(b.startsAt) || a.name.localeCompare(b.name),
    );
  }
}

type Labels = Readonly<Record<string, string>>;

function alertOf(labels: Labels, annotations: Labels, startsAt: string): Alert {
  const { alertname = 'alert without a name', severity = '' } = labels;
  const { summary = annotations.description ?? '', runbook_url: runbookUrl = '' } = annotations;
  return {
    name: alertname.slice(0, MAX_NAME),
    severity: severity.slice(0, MAX_NAME),
    summary: summary.slice(0, MAX_TEXT),
    // A link of a page must not run anything.
    runbookUrl: /^https?:\/\//.test(runbookUrl) && runbookUrl.length <= MAX_TEXT ? runbookUrl : null,
    startsAt: new Date(startsAt).toISOString(),
  };
}
