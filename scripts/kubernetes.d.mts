/** Types of kubernetes.mjs, for tests. */

export const KUBE_VERSION: string;
export function renderManifest(name: 'embedmill.yaml' | 'autoscaling.yaml'): string;
