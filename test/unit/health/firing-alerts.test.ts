/** The alerts that a producer keeps: how they begin and end, their order and their bounds. */

import { FiringAlerts } from '@embedmill/producer';
import { describe, expect, it } from 'vitest';

const MINUTE_MS = 60_000;

/** A notice of Alertmanager; labels identify the alert. */
function notice(
  alertname: string,
  more: { status?: 'firing' | 'resolved'; severity?: string; at?: string } = {},
) {
  const { status = 'firing', severity = 'warning', at = '2026-11-28T12:00:00.123456789Z' } = more;
  return {
    status,
    labels: { alertname, severity, instance: 'a:1' },
    annotations: { summary: `${alertname} is wrong.`, runbook_url: `http://mill/#/runbook/${alertname}` },
    startsAt: at,
  };
}

describe('firing alerts', () => {
  it('are shown until they end', () => {
    const alerts = new FiringAlerts();
    alerts.receive({ alerts: [notice('Down')] });
    expect(alerts.list()).toEqual([
      {
        name: 'Down',
        severity: 'warning',
        summary: 'Down is wrong.',
        runbookUrl: 'http://mill/#/runbook/Down',
        startsAt: '2026-11-28T12:00:00.123Z',
      },
    ]);
    alerts.receive({ alerts: [notice('Down')] });
    expect(alerts.list()).toHaveLength(1);
    alerts.receive({ alerts: [notice('Down', { status: 'resolved' })] });
    expect(alerts.list()).toEqual([]);
  });

  it('are forgotten when they are not repeated', () => {
    let nowMs = 0;
    const alerts = new FiringAlerts({ now: () => nowMs });
    alerts.receive({ alerts: [notice('Once'), notice('Repeated')] });
    nowMs = 10 * MINUTE_MS;
    alerts.receive({ alerts: [notice('Repeated')] });
    nowMs = 16 * MINUTE_MS;
    expect(alerts.list().map(({ name }) => name)).toEqual(['Repeated']);
  });

  it('are ordered by severity and age, and bounded in number and length', () => {
    const alerts = new FiringAlerts();
    alerts.receive({ alerts: Array.from({ length: 300 }, (_, i) => notice(`Warning${i}`)) });
    alerts.receive({
      alerts: [
        notice('Other', { severity: 'page' }),
        notice('New', { severity: 'critical', at: '2026-11-28T12:09:00+00:00' }),
        notice('Old', { severity: 'critical', at: '2026-11-28T13:05:00+01:00' }),
        notice('x'.repeat(10_000), { severity: 'critical', at: '2026-11-28T12:10:00Z' }),
      ],
    });
    const names = alerts.list().map(({ name }) => name);
    expect(names).toHaveLength(100);
    expect(names.slice(0, 3)).toEqual(['Old', 'New', 'x'.repeat(100)]);
    expect(names).not.toContain('Other');
  });

  it('link only to web pages', () => {
    const alerts = new FiringAlerts();
    const annotations = { runbook_url: 'javascript:alert(1)' };
    alerts.receive({ alerts: [{ ...notice('Odd'), annotations }] });
    expect(alerts.list()).toMatchObject([{ summary: '', runbookUrl: null }]);
  });
});
