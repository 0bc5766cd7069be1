/** compose.yaml and the files that it mounts, and the scripts of test/compose without Docker. This suite starts no containers. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../../support/folder.ts';
import { startNode } from '../../support/process.ts';

describe('a script that needs Docker', () => {
  it.each(['main.mjs', 'autoscale.mjs', 'images.mjs'])(
    '%s reports that it was skipped, and why',
    async (name) => {
      const path = fileURLToPath(new URL(`../../compose/${name}`, import.meta.url));
      const script = startNode([path], { env: { PATH: temporaryFolder() } });
      expect(await script.waitForExit()).toEqual({ code: 0, signal: null });
      expect(script.stdout).toMatch(
        /^SKIPPED: no Docker engine responds \(`docker info`\), so .* not run\n$/,
      );
      expect(script.stderr).toBe('');
    },
  );
});

interface Compose {
  services: Record<string, { volumes?: string[]; command?: string[] }>;
  volumes: Record<string, unknown>;
}

const hasAmtool = spawnSync('amtool', ['--version']).status === 0;
if (!hasAmtool)
  console.warn("amtool is not installed (Debian's prometheus-alertmanager): its check is skipped");

const read = <Content>(path: string) => parse(readFileSync(path, 'utf8')) as Content;

describe('compose.yaml', () => {
  const { services, volumes } = read<Compose>('compose.yaml');

  it('mounts only volumes and files that exist', () => {
    for (const mount of Object.values(services).flatMap(({ volumes: mounts = [] }) => mounts)) {
      const [source = ''] = mount.split(':');
      expect(source.startsWith('./') ? existsSync(source) : source in volumes, mount).toBe(true);
    }
  });

  it('sends the alerts of Prometheus through Alertmanager to the producer', () => {
    const { alerting } = read<{
      alerting: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
    }>('infra/prometheus/prometheus.yml');
    const [target = ''] = alerting.alertmanagers[0]!.static_configs[0]!.targets;
    expect(target).toBe('alertmanager:9093');
    const { command = [], volumes: mounts } = services.alertmanager!;
    expect(command).toContain('--config.file=/etc/alertmanager/alertmanager.yml');
    expect(mounts).toContain('./infra/alertmanager:/etc/alertmanager:ro');
    const { route, receivers } = read<{
      route: { receiver: string };
      receivers: { name: string; webhook_configs: { url: string }[] }[];
    }>('infra/alertmanager/alertmanager.yml');
    const receiver = receivers.find(({ name }) => name === route.receiver);
    expect(receiver?.webhook_configs[0]?.url).toBe('http://producer:8080/v1/alerts');
    expect(services).toHaveProperty('producer');
  });
});

describe.skipIf(!hasAmtool)('infra/alertmanager', () => {
  const shipped = readFileSync('infra/alertmanager/alertmanager.yml', 'utf8');
  // Commented YAML begins with a key or a list item, prose with a capital letter or a backtick.
  const withExamples = shipped.replaceAll(/^( *)# ( *(?:- |[a-z_]+:).*)$/gm, '$1$2');

  it.each([
    ['as shipped', shipped, 1],
    ['with the commented examples', withExamples, 3],
  ])('is valid %s', (_what, config, receivers) => {
    const file = join(temporaryFolder(), 'alertmanager.yml');
    writeFileSync(file, config);
    const { status, stdout, stderr } = spawnSync('amtool', ['check-config', file], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(`${receivers} receivers`);
  });
});
