/** What every page shows about the state of the producer: its word in the header, problems and firing alerts. */

import type { Alert } from '@embedmill/contract';
import { describeError } from './api/errors.ts';
import { useOverview } from './overview.tsx';
import { runbookOf } from './pages/runbook/runbook-page.tsx';
import { moment } from './ui/format.ts';

/** Alerts that are listed; `embedmill status` lists all of them. */
const MAX_ALERTS_SHOWN = 3;

/**
 * What is wrong now, with what ends it, and the alerts that fire; empty once all of it is solved. Advice is on the page of
 * runs.
 */
export function Banner() {
  const { overview, error } = useOverview();
  const problems = (overview?.health.problems ?? []).filter(({ severity }) => severity !== 'advice');
  return (
    <div role="status" aria-live="polite">
      {error !== null && <p class="notice notice-warn banner">{describeError(error)}</p>}
      {error === null &&
        problems.map(({ code, sentence, remedy }) => (
          <p key={`${code} ${sentence}`} class="notice notice-warn banner">
            <strong>{sentence}</strong> {remedy}
          </p>
        ))}
      {error === null && overview !== null && <FiringAlerts alerts={overview.alerts} />}
    </div>
  );
}

function FiringAlerts({ alerts }: { alerts: readonly Alert[] }) {
  if (alerts.length === 0) return null;
  const surplus = alerts.length - MAX_ALERTS_SHOWN;
  return (
    <div class="notice notice-alert banner">
      <strong>{alerts.length === 1 ? 'An alert fires' : `${alerts.length} alerts fire`}</strong>
      <ul>
        {alerts.slice(0, MAX_ALERTS_SHOWN).map((alert, i) => (
          <FiringAlert key={i} alert={alert} />
        ))}
      </ul>
      {surplus > 0 && (
        <p class="soft small">
          And {surplus} more, which <code>embedmill status</code> lists.
        </p>
      )}
    </div>
  );
}

function FiringAlert({ alert }: { alert: Alert }) {
  const { name, severity, summary, startsAt } = alert;
  const address = runbookOf(name) ?? alert.runbookUrl;
  return (
    <li>
      {summary || name}{' '}
      {address !== null && (
        <a href={address} aria-label={`What to do about ${name}`}>
          What to do
        </a>
      )}
      <span class="soft small block">
        {[name, severity, `since ${moment(startsAt)}`].filter((word) => word !== '').join(' · ')}
      </span>
    </li>
  );
}

const STATES = { ok: 'Works', degraded: 'Degraded', unavailable: 'Unavailable' } as const;

/** The state of the producer in one word, and the number of firing alerts. */
export function HealthMark() {
  const { overview, error } = useOverview();
  if (error !== null) return <HealthWord state="unavailable" word="Disconnected" title="" />;
  if (overview === null) return null;
  const { health, alerts } = overview;
  const state = health.state === 'ok' && alerts.length > 0 ? 'degraded' : health.state;
  const word = STATES[health.state];
  return <HealthWord state={state} word={word} title={health.sentence} alerts={alerts.length} />;
}

function HealthWord({
  state,
  word,
  title,
  alerts = 0,
}: {
  state: keyof typeof STATES;
  word: string;
  title: string;
  alerts?: number;
}) {
  return (
    <p class={`health health-${state}`} title={title}>
      <span aria-hidden="true">{state === 'ok' ? '●' : '▲'}</span> {word}
      {alerts > 0 && (
        <span class="wide-only nowrap">
          , {alerts} {alerts === 1 ? 'alert' : 'alerts'}
        </span>
      )}
    </p>
  );
}
