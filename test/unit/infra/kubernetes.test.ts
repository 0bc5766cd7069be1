/** Validates the plain manifests: schemas, and the names that they refer to. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Manifest, readManifests, validate } from './manifests.ts';

const manifests = ['embedmill.yaml', 'autoscaling.yaml'].flatMap((name) =>
  readManifests(readFileSync(new URL(`../../../infra/kubernetes/${name}`, import.meta.url), 'utf8')),
);
const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;

function find(kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`the manifests have no ${kind} ${name}`);
  return found;
}

describe('the Kubernetes manifests', () => {
  it.each(manifests.map((manifest) => [nameOf(manifest), manifest] as const))(
    '%s matches the schema of its kind',
    (_name, manifest) => expect(() => validate(manifest)).not.toThrow(),
  );

  it('would be rejected with a field of the wrong type or without a required field', () => {
    const worker = structuredClone(find('Deployment', 'embedmill-worker'));
    worker.spec.template.spec.containers[0].ports[0].containerPort = 'metrics';
    expect(() => validate(worker)).toThrow();
    const scaled = structuredClone(find('ScaledObject', 'embedmill-worker'));
    delete scaled.spec.triggers;
    expect(() => validate(scaled)).toThrow();
  });

  it('refer to each other by existing names', () => {
    expect(find('ScaledObject', 'embedmill-worker').spec.scaleTargetRef.name).toBe('embedmill-worker');
    const producer = find('StatefulSet', 'embedmill-producer').spec;
    for (const { selector, template, volumeClaimTemplates = [] } of [
      producer,
      find('Deployment', 'embedmill-worker').spec,
    ]) {
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
      const { containers, volumes } = template.spec;
      const own = [...volumes, ...volumeClaimTemplates.map(({ metadata }: Manifest) => metadata)];
      for (const { envFrom, volumeMounts } of containers) {
        expect(find('ConfigMap', envFrom[0].configMapRef.name)).toBeDefined();
        for (const { name } of volumeMounts) expect(own.map((each) => each.name)).toContain(name);
      }
    }
    const { selector, ports } = find('Service', producer.serviceName).spec;
    expect(producer.template.metadata.labels).toMatchObject(selector);
    const own = producer.template.spec.containers[0].ports.map(({ name }: { name: string }) => name);
    expect(own).toContain(ports[0].targetPort);
    // Workers pull models from it.
    const { egress } = find('NetworkPolicy', 'embedmill-worker').spec;
    const { labels } = producer.template.metadata;
    const [http] = producer.template.spec.containers[0].ports;
    expect(egress).toContainEqual({
      to: [
        {
          podSelector: { matchLabels: { 'app.kubernetes.io/name': labels['app.kubernetes.io/name'] } },
        },
      ],
      ports: [{ port: http.containerPort, protocol: 'TCP' }],
    });
  });
});
