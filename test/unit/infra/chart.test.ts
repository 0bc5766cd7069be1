/** Renders the chart with Helm, where it is on the PATH: schemas, values, and the plain manifests made from it. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { KUBE_VERSION, renderManifest } from '../../../scripts/kubernetes.mjs';
import { readManifests, validate } from './manifests.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CHART = 'infra/helm/embedmill';

const helm = (...args: string[]) => spawnSync('helm', args, { cwd: ROOT, encoding: 'utf8' });
const template = (...values: string[]) =>
  helm(
    'template',
    'em',
    CHART,
    '--kube-version',
    KUBE_VERSION,
    ...values.flatMap((value) => ['--set', value]),
  );
const hasHelm = helm('version').status === 0;

it('has the version of the packages', () => {
  const { version } = JSON.parse(readFileSync(`${ROOT}/apps/cli/package.json`, 'utf8'));
  const chart = readFileSync(`${ROOT}/${CHART}/Chart.yaml`, 'utf8');
  expect(chart).toContain(`\nversion: ${version}\n`);
  expect(chart).toContain(`\nappVersion: ${version}\n`);
});

describe.skipIf(!hasHelm)('the chart (needs helm on the PATH)', () => {
  it('passes helm lint', () => {
    const { status, stdout } = helm('lint', '--strict', CHART);
    expect({ status, stdout }).toMatchObject({ status: 0 });
  });

  it.each([
    [[]],
    [
      [
        'monitoring.serviceMonitor=true',
        'monitoring.prometheusRule=true',
        'monitoring.labels.release=prometheus',
      ],
    ],
    [['autoscaling.enabled=false', 'worker.replicas=4', 'networkPolicy.enabled=false']],
    [
      [
        'autoscaling.authentication=embedmill',
        'image.pullSecrets[0]=registry',
        'networkPolicy.redisPodLabels=null',
      ],
    ],
    [['producer.storage.className=fast', 'worker.nodeSelector.cpu=amx']],
  ])('with %j renders objects that match their schemas', (values) => {
    const { status, stdout, stderr } = template(...values);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const manifests = readManifests(stdout);
    expect(manifests.length).toBeGreaterThan(4);
    for (const manifest of manifests) validate(manifest);
  });

  it('carries the alert rules unchanged', () => {
    const rule = readManifests(template('monitoring.prometheusRule=true').stdout).find(
      ({ kind }) => kind === 'PrometheusRule',
    );
    const [rules] = readManifests(readFileSync(`${ROOT}/infra/prometheus/rules.yml`, 'utf8'));
    expect(rule?.spec).toEqual(rules);
  });

  it.each([
    ['worker.replicas=many', 'replicas'],
    ['autoscaling.max=3', 'max'],
    ['producer.storage.size=big', 'size'],
    ['config.lower-case=x', 'lower-case'],
  ])('refuses %s', (value, reason) => {
    const { status, stderr } = template(value);
    expect(status).not.toBe(0);
    expect(stderr).toContain(reason);
  });

  it.each(['embedmill.yaml', 'autoscaling.yaml'] as const)(
    'is what infra/kubernetes/%s was rendered from',
    (name) => {
      expect(readFileSync(`${ROOT}/infra/kubernetes/${name}`, 'utf8')).toBe(renderManifest(name));
    },
  );
});
