/** The screen of `embedmill status`: alerts and the load of the workers. */

import { describe, expect, it } from 'vitest';
import { describeStatus, type Status } from '../../../apps/cli/src/commands/status/describe.ts';
import { testHealth } from '../../support/health.ts';

const plain = (_style: unknown, text: string) => text;
const colour = (_style: unknown, text: string) => `\u001b[1m${text}\u001b[0m`;

function status(more: Partial<Status>): Status {
  return {
    server: 'http://mill:8080',
    health: testHealth(),
    alerts: [],
    scale: null,
    runs: null,
    storage: null,
    ...more,
  };
}

describe('embedmill status', () => {
  it('shows firing alerts with their runbook, without control characters', () => {
    const alert = {
      name: 'EmbedmillNoWorkers',
      severity: 'critical',
      summary: '12 batches\u001b[2J are waiting.',
      runbookUrl: 'http://mill:8080/#/runbook/embedmillnoworkers',
      startsAt: new Date(Date.now() - 185_000).toISOString(),
    };
    const other = { ...alert, name: 'DiskOfRedis', severity: 'toString', runbookUrl: null };
    expect(describeStatus(status({ alerts: [alert, other] }), plain)).toEqual([
      'ok  http://mill:8080',
      '',
      '1 worker is connected; no run is active.',
      '',
      expect.stringMatching(
        /^critical alert: EmbedmillNoWorkers for 3 min 5 s: 12 batches\\u001b\[2J are waiting\.$/,
      ),
      '  http://mill:8080/#/runbook/embedmillnoworkers',
      expect.stringMatching(/^toString alert: DiskOfRedis for 3 min 5 s: /),
    ]);
  });

  it('paints states and severities, and nothing that comes from the producer', () => {
    const health = testHealth({ workers: 0, policyFault: 'a\u001b[2J policy' });
    expect(describeStatus(status({ health }), colour).filter((line) => line.includes('\u001b'))).toEqual([
      '\u001b[1munavailable\u001b[0m  http://mill:8080',
      '\u001b[1mcritical\u001b[0m: A\\u001b[2J policy.',
      '\u001b[1mwarning\u001b[0m: No worker is connected.',
    ]);
  });

  it('shows the load of the workers', () => {
    const scale = {
      backlogRows: 1_200_000,
      backlogTokens: 24_000_000,
      rowsPerSecond: 512,
      tokensPerSecond: 10_240,
      workers: 4,
      cpuSaturation: 0.968,
      tokensPerSecondPerWorker: 2560,
      drainTargetSeconds: 1200,
      desiredWorkers: 7,
    };
    expect(describeStatus(status({ scale }), plain)).toContain(
      'workers  4 connected, CPU 97 %, 7 wanted for the backlog',
    );
  });
});
