/** Validates the manifests against the schemas of Kubernetes and KEDA, and the names that they refer to. */

import { readFileSync } from 'node:fs';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, PersistentVolumeClaim, Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

/** Kinds that the manifests may use; each class validates against the published schema. */
const KINDS = {
  'v1/ConfigMap': ConfigMap,
  'v1/PersistentVolumeClaim': PersistentVolumeClaim,
  'v1/Service': Service,
  'apps/v1/Deployment': Deployment,
  'policy/v1/PodDisruptionBudget': PodDisruptionBudget,
  'networking.k8s.io/v1/NetworkPolicy': NetworkPolicy,
  'keda.sh/v1alpha1/ScaledObject': ScaledObject,
};

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: each kind has another spec, and the test validates it
  spec?: any;
}

const manifests = ['embedmill.yaml', 'autoscaling.yaml'].flatMap((name) =>
  parseAllDocuments(readFileSync(new URL(`../../../infra/kubernetes/${name}`, import.meta.url), 'utf8')).map(
    (document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Manifest;
    },
  ),
);
const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;

/** @throws {Error} if the manifest does not match the schema of its kind */
function validate(manifest: Manifest): void {
  const Kind = KINDS[`${manifest.apiVersion}/${manifest.kind}` as keyof typeof KINDS];
  if (Kind === undefined) throw new Error(`${manifest.apiVersion}/${manifest.kind} has no schema here`);
  new Kind(manifest as never).validate();
}

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
    for (const name of ['embedmill-producer', 'embedmill-worker']) {
      const { selector, template } = find('Deployment', name).spec;
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
      for (const { envFrom } of template.spec.containers)
        expect(find('ConfigMap', envFrom[0].configMapRef.name)).toBeDefined();
      for (const { persistentVolumeClaim } of template.spec.volumes)
        if (persistentVolumeClaim !== undefined)
          expect(find('PersistentVolumeClaim', persistentVolumeClaim.claimName)).toBeDefined();
    }
    const { selector, ports } = find('Service', 'embedmill-producer').spec;
    const producer = find('Deployment', 'embedmill-producer').spec.template;
    expect(producer.metadata.labels).toMatchObject(selector);
    const own = producer.spec.containers[0].ports.map(({ name }: { name: string }) => name);
    expect(own).toContain(ports[0].targetPort);
    // Workers pull models from it.
    const { egress } = find('NetworkPolicy', 'embedmill-worker').spec;
    const { labels } = producer.metadata;
    const [http] = producer.spec.containers[0].ports;
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
